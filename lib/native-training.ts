/** The part of native.ts's contract that is about training a router: the plan, the data, and what comes back. */

/** F32 features in a file, row-major, `(rows, width)`; mapped, never read whole. */
export interface NativeFeatures {
  path: string;
  /** Bytes from the start of the file. */
  offset: number;
  rows: number;
  width: number;
}

/** Mirrors `train::TrainingPlan`. */
export interface NativeTrainingPlan {
  network: 'official' | 'card';
  loss: 'bce' | 'focal';
  focalAlpha: number;
  focalGamma: number;
  klWeight: number;
  priorSigma: number;
  balanced: boolean;
  batchRows: number;
  epochs: number;
  learningRate: number;
  weightDecay: number;
  gradientClip: number | null;
  schedule: 'linear' | 'cosine';
  warmupSteps: number;
  firstPeriod: number;
  periodFactor: number;
  floorRate: number;
  keep: 'last' | 'bestAuprc';
  patience: number;
  seed: number;
  /** Where training stands is kept in this file and taken up again; null: nowhere. */
  statePath: string | null;
}

export interface NativeTrainingData {
  features: NativeFeatures;
  /** `(rows)`, 0 to 1. */
  targets: Float32Array;
  trainRows: Int32Array;
  validRows: Int32Array;
}

/** Mirrors `train::EpochReport`. */
export interface NativeEpochReport {
  epoch: number;
  steps: number;
  loss: number;
  learningRate: number;
  validAuprc: number | null;
  resumed: boolean;
}

/** Mirrors `train::TrainedRouter`. */
export interface NativeTrainedRouter {
  tensors: { name: string; shape: number[]; values: Float32Array }[];
  epochs: number;
  keptEpoch: number;
  /** Of all epochs up to the kept one. */
  keptSteps: number;
  validAuprc: number | null;
}

export interface NativeTraining {
  /** Rejects with ERR_ABORTED after `stop()`, unless the training was over before. */
  readonly done: Promise<NativeTrainedRouter>;
  /** Ends the training with the epoch under way; its state is then on disk. Idempotent. */
  stop(): void;
}
