// What a trial's process and the bench say to each other.
import type { Contender, Sample, Setup, Work } from '../contenders/contender.js';

/** Setups are opened in order; `at` says which of them a request is for. */
export type Request = { kind: 'open'; setup: Setup } | { kind: 'run'; at: number; work: Work } | { kind: 'close' };

export type Answer =
  | { kind: 'opened'; facts: Contender['facts']; ms: number }
  | { kind: 'sample'; sample: Sample }
  | { kind: 'closed' }
  /** `unavailable`: the contender cannot take part here. Otherwise the trial has failed. */
  | { kind: 'failed'; unavailable: boolean; message: string };
