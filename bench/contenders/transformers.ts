// transformers with PyTorch, the way the paper's code reads a guard or a pair, in a Python process of its own.
import { Unavailable } from '../unavailable.js';
import { checkpointDirectory } from '../weights/checkpoint.js';
import { kShapes, type ShapeName } from '../weights/shapes.js';
import { type Contender, refuse, type Sample, type Setup, type Work } from './contender.js';
import { startPython } from './python-process.js';

/** The default of the paper's evaluation script. */
const kBatchRows = 16;

const kVerdictIds = [19_193, 39_257];

/** `unavailable`: why it cannot take part here, where it cannot. */
type Opening = Contender['facts'] | { unavailable: string };

export async function openTransformers({ guard, weights, device, threads, pair }: Setup): Promise<Contender> {
  const python = startPython('transformers_guard.py', ['torch', 'transformers'], device);
  const directoryOf = (name: string) => checkpointDirectory(kShapes[name as ShapeName]);
  const facts = await python.ask<Opening>({
    directory: directoryOf(guard as string),
    large: pair && { directory: directoryOf(pair.large), rate: pair.rate },
    dtype: weights === 'bf16' ? 'bfloat16' : 'float32',
    device,
    threads,
    batch: kBatchRows,
    verdict_ids: kVerdictIds,
  });
  if (typeof facts.unavailable === 'string') throw new Unavailable(facts.unavailable);
  return {
    facts: { ...facts, dtype: weights },
    run: (work) => run(work, python.ask),
    close: python.close,
  };
}

async function run(work: Work, ask: <T>(message: unknown) => Promise<T>): Promise<Sample> {
  if (work.kind === 'gpu-memory') return ask<Sample>({ memory: true });
  if (work.kind !== 'read') return refuse('transformers', work);
  return ask<Sample>({ prompts: work.prompts.map((ids) => [...ids]) });
}
