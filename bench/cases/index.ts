// All cases but the ceiling, which every run begins with, in the order in which they run.
import { kCascade } from './cascade.js';
import type { Case } from './case.js';
import { kColdStart } from './cold-start.js';
import { kEventLoop } from './event-loop.js';
import { kLatency } from './latency.js';
import { kMachinery } from './machinery.js';
import { kMatrix } from './matrix.js';
import { kMemory } from './memory.js';
import { kModeration } from './moderation.js';
import { kPrefill } from './prefill.js';
import { kPrefix } from './prefix.js';
import { kRouter } from './router.js';
import { kTestSet } from './test-set.js';
import { kThroughput } from './throughput.js';

export const kCases: readonly Case[] = [
  kLatency,
  kThroughput,
  kPrefill,
  kRouter,
  kMachinery,
  kPrefix,
  kMatrix,
  kCascade,
  kTestSet,
  kModeration,
  kColdStart,
  kMemory,
  kEventLoop,
];
