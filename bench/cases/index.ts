// All cases, in the order in which they run.
import type { Case } from './case.js';
import { kLatency } from './latency.js';
import { kRouter } from './router.js';
import { kThroughput } from './throughput.js';

export const kCases: readonly Case[] = [kLatency, kThroughput, kRouter];
