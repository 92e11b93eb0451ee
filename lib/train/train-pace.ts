/** How far a training has come, and when it will be done. */

import type { NativeEpochReport } from '../native-training.js';
import type { TrainProgress } from './train-options.js';

export class TrainPace {
  readonly #epochs: number;
  readonly #startMs = performance.now();
  /** Epochs of an earlier run. */
  #before: number | null = null;

  /** The most that there will be. */
  constructor(epochs: number) {
    this.#epochs = epochs;
  }

  progress({ epoch, loss, learningRate, validAuprc, resumed }: NativeEpochReport): TrainProgress {
    this.#before ??= epoch - 1;
    const secondsPerEpoch = (performance.now() - this.#startMs) / 1000 / (epoch - this.#before);
    return {
      epoch,
      epochs: this.#epochs,
      loss,
      learningRate,
      validAuprc,
      resumed,
      secondsLeft: (this.#epochs - epoch) * secondsPerEpoch,
    };
  }
}
