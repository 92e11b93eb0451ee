// node-llama-cpp at its best: flash attention, as many sequences in one context as there are prompts in flight, only the verdict tokens' logits
// fetched, and, with reuse, each sequence keeps its history and evaluates only what differs.
import { ggufFile, type WeightFormat } from '../weights/gguf-guard.js';
import { kShapes, type ShapeName } from '../weights/shapes.js';
import { type Contender, refuse, type Sample, type Setup, timeInTurn, timeTogether, type Work } from './contender.js';
import { importOptional } from './optional-module.js';

/** The part of node-llama-cpp that is used, so that the bench can be type-checked without it. */
interface NodeLlamaCpp {
  getLlama(options: object): Promise<{ loadModel(options: object): Promise<LlamaModel>; dispose(): Promise<void> }>;
  getModuleVersion(): Promise<string>;
  LlamaLogLevel: { error: string };
}

interface LlamaModel {
  createContext(options: object): Promise<{ getSequence(): LlamaSequence }>;
}

interface LlamaSequence {
  readonly nextTokenIndex: number;
  clearHistory(): Promise<void>;
  adaptStateToTokens(tokens: number[], allowShift: boolean): Promise<void>;
  controlledEvaluate(input: (number | [number, object])[]): Promise<unknown>;
}

const kVerdictTokens = [19_193, 39_257]; // "safe" and "unsafe" of Llama 3; any two cost the same
const kBatchTokens = 512; // measured: 2048 is no faster, 260, which is as long as a prompt, 1.6 times slower

export async function openNodeLlamaCpp(setup: Setup): Promise<Contender> {
  const library = await importOptional<NodeLlamaCpp>('node-llama-cpp');
  const llama = await library.getLlama({
    gpu: false,
    build: 'never',
    maxThreads: setup.threads,
    logLevel: library.LlamaLogLevel.error,
  });
  const modelPath = ggufFile(kShapes[setup.guard as ShapeName], setup.weights as WeightFormat);
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({
    sequences: setup.inFlight,
    contextSize: setup.promptTokens,
    batchSize: kBatchTokens,
    threads: setup.threads,
    flashAttention: true,
  });
  const sequences = Array.from({ length: setup.inFlight }, () => context.getSequence());
  return {
    facts: { version: await library.getModuleVersion(), weights: setup.weights, sequences: setup.inFlight },
    run: (work) => run(sequences, work),
    close: () => llama.dispose(),
  };
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
