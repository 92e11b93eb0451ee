/** How each kind of router is trained, as data. The figures are those of the code that the routers' authors published, where it differs from their text. */

import type { RouterFile } from '../checkpoint/index.js';
import type { NativeTrainingPlan } from '../native-training.js';

/** What a router is taught to say of a row. */
export type Lesson =
  /** 1 where the small guard is wrong and the large one right, else 0. */
  | 'hard'
  /** (1 + gain) / 2: 1 where only the large guard is right, 0 where only the small one is, a half where it makes no difference. */
  | 'gain';

export interface Recipe {
  lesson: Lesson;
  /** Hardness above which a row is escalated, unless somebody says otherwise. */
  threshold: number;
  /** All of a plan that does not belong to one training. */
  plan: Readonly<Omit<NativeTrainingPlan, 'seed' | 'statePath'>>;
}

export type RecipeName = NonNullable<RouterFile['recipe']>;

/** What a recipe does not name does not enter into it; both published ones weigh down by PyTorch's default. */
const kUnnamed = {
  focalAlpha: 0.5,
  focalGamma: 0,
  klWeight: 0,
  priorSigma: 1,
  weightDecay: 0.01,
  gradientClip: null,
  warmupSteps: 0,
  firstPeriod: 1,
  periodFactor: 1,
  floorRate: 0,
  patience: 1,
};

/**
 * SafeRoute's own (arXiv 2502.12464, §3.2 and §4.1, and the code that came with it): a Bayesian network with one Monte Carlo sample a step,
 * 0.01 of the mean KL per weight to N(0, 0.1²), classes balanced by drawing with replacement, AdamW, 100 warm-up steps and a linear decay
 * to 0, the last epoch kept.
 */
const kOfficial: Recipe = {
  lesson: 'hard',
  threshold: 0.5,
  plan: {
    ...kUnnamed,
    network: 'official',
    loss: 'bce',
    klWeight: 0.01,
    priorSigma: 0.1,
    balanced: true,
    batchRows: 512,
    epochs: 1000,
    learningRate: 1e-3,
    schedule: 'linear',
    warmupSteps: 100,
    keep: 'last',
  },
};

/**
 * That of the model card "SafeRoute Router Model (DynaGuard 1.7B / 8B)" and its training code: focal loss (Lin et al. 2017) on balanced
 * batches, AdamW under cosine warm restarts, the gradient clipped to the norm 1, the epoch of the best validation AUPRC kept.
 */
const kDynaguard: Recipe = {
  lesson: 'hard',
  threshold: 0.6,
  plan: {
    ...kUnnamed,
    network: 'card',
    loss: 'focal',
    focalAlpha: 0.75,
    focalGamma: 2,
    balanced: true,
    batchRows: 256,
    epochs: 500,
    learningRate: 5e-4,
    gradientClip: 1,
    schedule: 'cosine',
    firstPeriod: 50,
    periodFactor: 2,
    floorRate: 1e-6,
    keep: 'bestAuprc',
    patience: 100,
  },
};

/**
 * What escalating gains (Calibrate-Then-Delegate, arXiv 2604.14251), which the paper's label cannot see: it calls a row that only the small
 * guard gets right as easy as one that both do. Network and schedule are the official ones. Soft cross-entropy on (1 + gain) / 2 is least
 * where σ(z) = (1 + E[gain]) / 2, whatever the gain's distribution, so that 0.5 is where a gain begins; balancing would move that point with
 * the share of each class, so rows are drawn as they come.
 */
const kBenefit: Recipe = {
  lesson: 'gain',
  threshold: 0.5,
  plan: { ...kOfficial.plan, balanced: false },
};

export const kRecipes: Readonly<Record<RecipeName, Recipe>> = {
  official: kOfficial,
  dynaguard: kDynaguard,
  benefit: kBenefit,
};

export const kRecipeNames = Object.keys(kRecipes) as RecipeName[];
