// PyTorch on a GPU: the GEMMs of a guard's layers alone, which is that GPU's ceiling, and the router as the model card runs it.
import { kShapes, layerGemms, type ShapeName } from '../weights/shapes.js';
import { type Contender, refuse, type Sample, type Setup } from './contender.js';
import { startPython } from './python-process.js';

const kRouterInputs = 2048;

export async function openTorch({ guard, weights, device }: Setup): Promise<Contender> {
  const python = startPython('torch_parts.py', ['torch'], device);
  const shape = kShapes[guard as ShapeName];
  const facts = await python.ask<Contender['facts']>({
    device,
    dtype: weights === 'bf16' ? 'bfloat16' : 'float32',
    layers: shape.layers,
    gemms: layerGemms(shape).map(({ inputs, outputs }) => [inputs, outputs]),
    router: kRouterInputs,
  });
  return {
    facts,
    run: async (work) => {
      if (work.kind === 'multiply') return python.ask<Sample>({ tokens: work.tokens });
      if (work.kind === 'route') return python.ask<Sample>({ features: work.features.map((values) => [...values]) });
      return refuse('torch', work);
    },
    close: python.close,
  };
}
