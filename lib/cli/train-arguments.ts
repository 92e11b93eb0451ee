/** The command line of `saferoute train`: flags to plain options, and the text that explains them. */

import { parseArgs } from 'node:util';
import { kRecipeNames } from '../train/recipes.js';
import { kMaxEpochs, kMostValid, kRouterDtypes, type TrainOptions } from '../train/train-options.js';
import { kMaxThreads } from '../validate-options.js';
import { UsageError } from './exit.js';
import { numberIn, oneOf, wholeNumberIn } from './flag-values.js';

export const kTrainUsage = `Usage: saferoute train FEATURES -o ROUTER.safetensors [options]

Trains a router on a file that saferoute label wrote: which messages the small guard gets wrong and the large one right.
Where the training stands is kept in ROUTER.safetensors.state. The same command goes on from there after whatever ended it.

  -o, --output FILE       the router, a .safetensors file
  --recipe RECIPE         official (default): SafeRoute's Bayesian network, 1000 epochs
                          dynaguard: the model card's network with focal loss, at most 500 epochs
                          benefit: the official network, taught what escalating gains, 1000 epochs
  --seed N                decides the split, the first weights and all that is drawn (default 0)
  --epochs N              instead of the recipe's
  --valid-share SHARE     of the rows that is kept from training, to judge by (default 0.1)
  --threads N             default: one per core; the router is the same with any number
  --dtype f32|f16         of the weights in the file (default f32); f16 makes it half as large
  -h, --help

Exit code: 0 done, 1 could not go on, 2 wrong command line, 130 interrupted.
`;

export interface TrainArguments {
  help: boolean;
  features: string;
  options: TrainOptions;
}

const kOptions = {
  output: { type: 'string', short: 'o' },
  recipe: { type: 'string' },
  seed: { type: 'string' },
  epochs: { type: 'string' },
  'valid-share': { type: 'string' },
  threads: { type: 'string' },
  dtype: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export function parseTrainArguments(argv: string[]): TrainArguments {
  const { values, positionals } = parseArgs({ args: argv, options: kOptions, allowPositionals: true });
  const { output = '', recipe, seed, epochs, 'valid-share': validShare, threads, dtype, help } = values;
  const [features = '', ...more] = positionals;
  if (!help && (features === '' || more.length > 0)) throw new UsageError('train takes one features file');
  if (!help && output === '') throw new UsageError('train needs -o ROUTER.safetensors');
  const options: TrainOptions = { output };
  if (recipe !== undefined) options.recipe = oneOf('--recipe', recipe, kRecipeNames);
  if (seed !== undefined) options.seed = wholeNumberIn('--seed', seed, 0, Number.MAX_SAFE_INTEGER);
  if (epochs !== undefined) options.epochs = wholeNumberIn('--epochs', epochs, 1, kMaxEpochs);
  if (validShare !== undefined) options.validShare = numberIn('--valid-share', validShare, 0, kMostValid);
  if (threads !== undefined) options.threads = wholeNumberIn('--threads', threads, 1, kMaxThreads);
  if (dtype !== undefined) options.dtype = oneOf('--dtype', dtype, kRouterDtypes);
  return { help, features, options };
}
