// This package: one guard of the given shape and precision, with the official router, asked through its public API.
import { SafeRoute } from '../../dist/index.mjs';
import { withFreshHead } from '../prompts/prompts.js';
import { checkpointDirectory } from '../weights/checkpoint.js';
import { routerFile } from '../weights/router-file.js';
import { kShapes, type ShapeName } from '../weights/shapes.js';
import {
  type Contender,
  refuse,
  type Sample,
  type Setup,
  timeInTurn,
  timeTogether,
  Unavailable,
  type Work,
} from './contender.js';

export async function openSafeRoute(setup: Setup): Promise<Contender> {
  const shape = kShapes[setup.guard as ShapeName];
  const pair = await load(shape.name, setup);
  let fresh = 0;
  const read = (reuse: boolean) => (ids: Int32Array) => pair.small.read(reuse ? ids : withFreshHead(ids, fresh++));
  const run = async (work: Work): Promise<Sample> => {
    if (work.kind === 'read') return timeTogether(work.prompts, read(work.reuse));
    if (work.kind === 'read-in-turn') return timeInTurn(work.prompts, read(work.reuse));
    if (work.kind === 'route') return timeInTurn(work.features, (feature) => pair.route(feature));
    return refuse('saferoute', work);
  };
  return { facts: { weights: setup.weights, threads: setup.threads }, run, close: () => pair.close() };
}

async function load(shape: ShapeName, { weights, threads }: Setup): Promise<SafeRoute> {
  try {
    return await SafeRoute.load({
      small: checkpointDirectory(kShapes[shape]),
      large: null,
      router: routerFile(kShapes[shape].hiddenSize),
      precision: weights as 'int8' | 'f32',
      threads,
    });
  } catch (cause) {
    const { code, message } = cause as { code?: string; message: string };
    if (code === 'ERR_UNSUPPORTED' || code === 'ERR_MEMORY') throw new Unavailable(message, { cause });
    throw cause;
  }
}
