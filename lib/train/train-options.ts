/** What `train` is asked for, and what it tells. */

import { rangeError, typeError } from '../errors.js';
import { choice, count, numberIn, optionGroup, parseListener, parsePath, parseSignal } from '../option-values.js';
import { kMaxThreads } from '../validate-options.js';
import { kRecipeNames, kRecipes, type RecipeName } from './recipes.js';

export const kRouterDtypes = ['f32', 'f16'] as const;
export type RouterDtype = (typeof kRouterDtypes)[number];

export interface TrainOptions {
  /** The router's file, `.safetensors`; the state of an unfinished training lies beside it, with `.state` after its name. */
  output: string;
  /** Default 'official'. */
  recipe?: RecipeName;
  /** Decides the split, the first weights and all that is drawn. Default 0. */
  seed?: number;
  /** Share of the rows that is kept from training, to judge the router and, with 'dynaguard', to choose the epoch. Default 0.1. */
  validShare?: number;
  /** Default: the recipe's. */
  epochs?: number;
  /** Default: one per core. The router is the same with any number. */
  threads?: number;
  /** Of the weights in the file. Default 'f32'; 'f16' makes the file half as large and changes a hardness by less than a thousandth or so. */
  dtype?: RouterDtype;
  /** Stops the training at the end of its epoch; the same call goes on from there. */
  signal?: AbortSignal;
  onProgress?: (progress: TrainProgress) => void;
}

export interface TrainProgress {
  /** Done, and the most that there will be. */
  epoch: number;
  epochs: number;
  /** Mean of the epoch. */
  loss: number;
  learningRate: number;
  /** Area under precision and recall of finding the hard rows, on the validation rows; null where they hold but one class. */
  validAuprc: number | null;
  /** The first epoch of a training that went on from its state. */
  resumed: boolean;
  /** Until the last epoch, at the rate of this run. */
  secondsLeft: number;
}

/** Figures of finding the hard rows among the validation rows. */
export interface RoutingFigures {
  rows: number;
  hard: number;
  auprc: number | null;
  /** At the router's threshold. */
  f1: number | null;
  precision: number | null;
  recall: number | null;
  escalated: number;
}

export interface TrainSummary {
  path: string;
  recipe: RecipeName;
  threshold: number;
  /** Of the features file, and of them those that only the large guard gets right. */
  rows: number;
  hard: number;
  trainRows: number;
  /** Run, and the one whose weights the file holds. */
  epochs: number;
  keptEpoch: number;
  /** An earlier run had begun. */
  resumed: boolean;
  /** null where no rows were kept from training. */
  valid: RoutingFigures | null;
}

/** Options, checked. */
export interface TrainRequest {
  features: string;
  output: string;
  recipe: RecipeName;
  seed: number;
  validShare: number;
  epochs: number;
  /** 0: one per core. */
  threads: number;
  dtype: RouterDtype;
  signal: AbortSignal | null;
  onProgress: (progress: TrainProgress) => void;
}

const kKeys = ['output', 'recipe', 'seed', 'validShare', 'epochs', 'threads', 'dtype', 'signal', 'onProgress'];
const kValidShare = 0.1;
export const kMostValid = 0.9;
export const kMaxEpochs = 1_000_000;

/** Throws a TypeError or RangeError for a wrong request. */
export function parseTrainOptions(features: unknown, value: unknown): TrainRequest {
  if (value === undefined) throw typeError('options', 'an object', value);
  const { validShare = kValidShare, ...options } = optionGroup(value, kKeys, 'options');
  const recipe = choice(options.recipe, kRecipeNames, 'options.recipe');
  return {
    features: parsePath(features, 'features'),
    output: parseOutput(options.output),
    recipe,
    seed: count(options.seed, 0, 0, Number.MAX_SAFE_INTEGER, 'options.seed'),
    validShare: numberIn(validShare, { min: 0, max: kMostValid }, 'options.validShare'),
    epochs: count(options.epochs, kRecipes[recipe].plan.epochs, 1, kMaxEpochs, 'options.epochs'),
    threads: count(options.threads, 0, 1, kMaxThreads, 'options.threads'),
    dtype: choice(options.dtype, kRouterDtypes, 'options.dtype'),
    signal: parseSignal(options.signal),
    onProgress: parseListener(options.onProgress, 'options.onProgress'),
  };
}

/** The name decides how a router file is read, so it must be right before hours of training. */
function parseOutput(value: unknown): string {
  const path = parsePath(value, 'options.output');
  if (!path.toLowerCase().endsWith('.safetensors')) throw rangeError('options.output', 'a .safetensors file', path);
  return path;
}
