// This package: one guard of the given shape and precision with the official router, or a pair of guards, asked through its public API.
import { SafeRoute } from '../../dist/index.mjs';
import { withFreshHead } from '../prompts/prompts.js';
import { Unavailable } from '../unavailable.js';
import { checkpointDirectory } from '../weights/checkpoint.js';
import { routerFile } from '../weights/router-file.js';
import { kShapes, type ShapeName } from '../weights/shapes.js';
import { type Contender, refuse, type Sample, type Setup, timeInTurn, timeTogether, type Work } from './contender.js';
import { lateness } from './lateness.js';

/** With random weights any score may come: none must end a moderation early. */
const kNeverUnsafe = 1;

export async function openSafeRoute(setup: Setup): Promise<Contender> {
  const pair = await load(setup);
  const run = runner(pair);
  return {
    facts: { weights: setup.weights, threads: setup.threads },
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

function computedTokens(pair: SafeRoute): number {
  const { small, large } = pair.stats();
  return small.tokens.computed + (large?.tokens.computed ?? 0);
}

async function load({ guard, weights, threads, pair }: Setup): Promise<SafeRoute> {
  const small = kShapes[guard as ShapeName];
  try {
    return await SafeRoute.load({
      small: checkpointDirectory(small),
      large: pair === null ? null : checkpointDirectory(kShapes[pair.large as ShapeName]),
      router: routerFile(small.hiddenSize),
      ...(pair === null ? {} : { escalation: { kind: 'random', rate: pair.rate } }),
      precision: weights as 'int8' | 'f32',
      unsafeAt: kNeverUnsafe,
      threads,
    });
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    if (code === 'ERR_UNSUPPORTED' || code === 'ERR_MEMORY') throw new Unavailable(message, { cause });
    throw cause;
  }
}
