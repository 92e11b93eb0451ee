// node-llama-cpp at its best: flash attention, as many sequences in one context as there are prompts in flight, only the verdict tokens' logits
// fetched, and, with reuse, each sequence keeps its history and evaluates only what differs.

import { Unavailable } from '../unavailable.js';
import { ggufFile, type WeightFormat } from '../weights/gguf-guard.js';
import { kShapes, type ShapeName } from '../weights/shapes.js';
import { type Contender, refuse, type Sample, type Setup, timeInTurn, timeTogether, type Work } from './contender.js';
import { importOptional } from './optional-module.js';

/** The part of node-llama-cpp that is used, so that the bench can be type-checked without it. */
interface NodeLlamaCpp {
  getLlama(options: object): Promise<Llama>;
  getModuleVersion(): Promise<string>;
  LlamaLogLevel: { error: string };
}

interface Llama {
  /** The build that runs: 'cuda', 'vulkan', or false for the CPU's. */
  readonly gpu: string | false;
  getGpuDeviceNames(): Promise<string[]>;
  loadModel(options: object): Promise<LlamaModel>;
  dispose(): Promise<void>;
}

interface LlamaModel {
  readonly gpuLayers: number;
  createContext(options: object): Promise<{ getSequence(): LlamaSequence }>;
}

interface LlamaSequence {
  readonly nextTokenIndex: number;
  clearHistory(): Promise<void>;
  adaptStateToTokens(tokens: number[], allowShift: boolean): Promise<void>;
  controlledEvaluate(input: (number | [number, object])[]): Promise<unknown>;
}

const kVerdictTokens = [19_193, 39_257]; // "safe" and "unsafe" of Llama 3; any two cost the same
const kGpuBatchTokens = 2048; // a GPU wants longer passes than a CPU; llama.cpp's own default
const kBatchTokens = 512; // measured: 2048 is no faster, 260, which is as long as a prompt, 1.6 times slower

export async function openNodeLlamaCpp(setup: Setup): Promise<Contender> {
  const library = await importOptional<NodeLlamaCpp>('node-llama-cpp');
  const llama = await openBuild(library, setup);
  const modelPath = ggufFile(kShapes[setup.guard as ShapeName], setup.weights as WeightFormat);
  const onGpu = llama.gpu !== false;
  const model = await llama.loadModel({ modelPath, ...(onGpu ? { gpuLayers: 'max' } : {}) });
  const context = await model.createContext({
    sequences: setup.inFlight,
    contextSize: setup.promptTokens,
    batchSize: onGpu ? kGpuBatchTokens : kBatchTokens,
    threads: setup.threads,
    flashAttention: true,
  });
  const sequences = Array.from({ length: setup.inFlight }, () => context.getSequence());
  const place = onGpu
    ? { build: llama.gpu as string, device: (await llama.getGpuDeviceNames()).join(', '), layers: model.gpuLayers }
    : {};
  return {
    facts: { version: await library.getModuleVersion(), weights: setup.weights, sequences: setup.inFlight, ...place },
    run: (work) => run(sequences, work),
    close: () => llama.dispose(),
  };
}

/** One of the prebuilt builds of its packages: on a GPU that for CUDA, or else for Vulkan. Throws Unavailable where none runs here. */
async function openBuild({ getLlama, LlamaLogLevel }: NodeLlamaCpp, { device, threads }: Setup): Promise<Llama> {
  const options = { build: 'never', maxThreads: threads, logLevel: LlamaLogLevel.error };
  if (device === 'cpu') return getLlama({ ...options, gpu: false });
  const reasons: string[] = [];
  for (const gpu of ['cuda', 'vulkan']) {
    try {
      return await getLlama({ ...options, gpu });
    } catch (cause) {
      reasons.push(`${gpu}: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
  }
  throw new Unavailable(`no build of node-llama-cpp for a GPU runs here (${reasons.join('; ')})`);
}

function run(sequences: LlamaSequence[], work: Work): Promise<Sample> {
  if (work.kind === 'read-in-turn') {
    return timeInTurn(work.prompts, (ids) => read(sequences[0] as LlamaSequence, ids, work.reuse));
  }
  if (work.kind !== 'read') return refuse('node-llama-cpp', work);
  const places = work.prompts.map((ids, index) => ({ ids, sequence: sequences[index] as LlamaSequence }));
  return timeTogether(places, ({ ids, sequence }) => read(sequence, ids, work.reuse));
}

async function read(sequence: LlamaSequence, ids: Int32Array, reuse: boolean): Promise<void> {
  if (reuse) await sequence.adaptStateToTokens([...ids], false);
  else await sequence.clearHistory();
  // The last token is always evaluated, since its logits are what is asked for.
  const rest = [...ids.subarray(Math.min(sequence.nextTokenIndex, ids.length - 1))];
  const last = rest.pop() as number;
  await sequence.controlledEvaluate([
    ...rest,
    [last, { generateNext: { logits: { filter: { tokens: kVerdictTokens } } } }],
  ]);
}
