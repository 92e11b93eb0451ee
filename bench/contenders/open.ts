// Opens the engine that a setup names. Each engine's library is loaded only in the process of its own trial.
import type { Contender, Setup } from './contender.js';

export async function openContender(setup: Setup): Promise<Contender> {
  switch (setup.engine) {
    case 'saferoute':
      return (await import('./saferoute.js')).openSafeRoute(setup);
    case 'node-llama-cpp':
      return (await import('./node-llama-cpp.js')).openNodeLlamaCpp(setup);
    case 'transformers':
      return (await import('./transformers.js')).openTransformers(setup);
    case 'torch':
      return (await import('./torch.js')).openTorch(setup);
    case 'onnxruntime-node':
      return (await import('./onnxruntime.js')).openOnnxRuntime(setup);
    case 'control':
      return (await import('./control.js')).openControl(setup);
  }
}
