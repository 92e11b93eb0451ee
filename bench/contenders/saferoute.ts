// This package: one guard of the given shape and precision with the official router, or a pair of guards, asked through its public API.
import { type GuardStats, type PairOptions, SafeRoute } from '../../dist/index.mjs';
import { withFreshHead } from '../prompts/prompts.js';
import { Unavailable } from '../unavailable.js';
import { checkpointDirectory } from '../weights/checkpoint.js';
import { routerFile } from '../weights/router-file.js';
import { kShapes, type ShapeName } from '../weights/shapes.js';
import { type Contender, refuse, type Sample, type Setup, timeInTurn, timeTogether, type Work } from './contender.js';
import { kGpuBatchTokens, kGpuKvBytes, reservation } from './gpu-need.js';
import { lateness } from './lateness.js';

/** With random weights any score may come: none must end a moderation early. */
const kNeverUnsafe = 1;

const kGpuQueueRequests = 4096; // more than any case has in flight
const kGpuBatchMs = 1000; // a pass is bounded by its tokens alone

export async function openSafeRoute(setup: Setup): Promise<Contender> {
  const pair = await load(setup);
  const run = runner(pair);
  return {
    facts: { weights: setup.weights, ...(setup.device === 'cuda' ? gpuFacts(pair) : { threads: setup.threads }) },
    run: async (work) => {
      const before = computedTokens(pair);
      const sample = await run(work);
      return { ...sample, tokens: computedTokens(pair) - before };
    },
    close: () => pair.close(),
  };
}

function runner(pair: SafeRoute): (work: Work) => Promise<Sample> {
  let fresh = 0;
  const read = (reuse: boolean) => (ids: Int32Array) => pair.small.read(reuse ? ids : withFreshHead(ids, fresh++));
  return async (work) => {
    switch (work.kind) {
      case 'read':
        return timeTogether(work.prompts, read(work.reuse));
      case 'read-in-turn':
        return timeInTurn(work.prompts, read(work.reuse));
      case 'check':
        return timeTogether(work.texts, (text) => pair.check(text));
      case 'moderate':
        return timeInTurn([work], (what) => moderate(pair, what));
      case 'route':
        return timeInTurn(work.features, (feature) => pair.route(feature));
      case 'tick':
        return lateness(work.ms, () => Promise.all(work.prompts.map(read(false))));
      case 'gpu-memory':
        return { ms: 0, each: [], gpuBytes: gpuBytes(pair) };
      case 'multiply':
      case 'spin':
        return refuse('saferoute', work);
    }
  };
}

/** Reads a moderated response to its end; its words come as fast as they are taken. */
async function moderate(pair: SafeRoute, work: Extract<Work, { kind: 'moderate' }>): Promise<void> {
  const words = work.response.split(/(?= )/);
  for await (const _ of pair.moderate(words, { messages: work.question, every: work.every })) {
    // What comes out is of no interest, only when.
  }
}

/** What the guards hold of the GPU's memory, and of the host's for weights that are streamed from there. */
function gpuFacts(pair: SafeRoute): Contender['facts'] {
  const { small, large } = pair.stats();
  const sum = (what: 'reserved' | 'pinned') =>
    [small, large].reduce((bytes, guard) => bytes + (guard?.gpu_memory?.[what] ?? 0), 0) / 2 ** 20;
  return { 'GPU MiB reserved': sum('reserved'), 'host MiB pinned': sum('pinned') };
}

/** By owner: "small: layers". */
function gpuBytes(pair: SafeRoute): Record<string, number> {
  const { small, large } = pair.stats();
  const owned = (owner: string, { gpu_memory: memory }: GuardStats) =>
    (memory?.parts ?? []).map(({ purpose, reserved }) => [`${owner}: ${purpose}`, reserved] as const);
  return Object.fromEntries([...owned('small', small), ...(large === null ? [] : owned('large', large))]);
}

function computedTokens(pair: SafeRoute): number {
  const { small, large } = pair.stats();
  return small.tokens.computed + (large?.tokens.computed ?? 0);
}

async function load(setup: Setup): Promise<SafeRoute> {
  const { guard, device, weights, threads, pair } = setup;
  const onGpu: PairOptions = {
    limits: { queueRequests: kGpuQueueRequests },
    batch: { tokens: kGpuBatchTokens, ms: kGpuBatchMs },
    // Others may stand on the same GPU: what is left there is not all ours.
    memory: { kv: kGpuKvBytes, gpu: Math.ceil(reservation(setup)) },
  };
  const small = kShapes[guard as ShapeName];
  try {
    return await SafeRoute.load({
      small: checkpointDirectory(small),
      large: pair === null ? null : checkpointDirectory(kShapes[pair.large as ShapeName]),
      router: routerFile(small.hiddenSize),
      ...(pair === null ? {} : { escalation: { kind: 'random', rate: pair.rate } }),
      device,
      precision: weights as 'int8' | 'f32' | 'bf16' | 'fp8',
      unsafeAt: kNeverUnsafe,
      threads,
      ...(device === 'cuda' ? onGpu : {}),
    });
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    if (code === 'ERR_UNSUPPORTED' || code === 'ERR_MEMORY') throw new Unavailable(message, { cause });
    throw cause;
  }
}
