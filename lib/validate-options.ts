/** Holds every option against its type and range, applies the defaults, and copies: nothing of the caller's object is kept. */

import { kShare } from './checked-values.js';
import { describe, rangeError, SafeRouteError, typeError } from './errors.js';
import { kValveKeys, readEscalation, readValves, type ValveSettings } from './escalation-settings.js';
import { kFamilyNames } from './guard-families.js';
import { type GuardSpec, parseSpec } from './guard-spec.js';
import { choice, count, kOptionComplaints, numberIn, optionGroup, parsePath } from './option-values.js';
import type { Escalation, Precision } from './options.js';

/** What a load needs, for a pair as for a guard alone. */
export interface EngineSettings {
  guard: GuardSpec | null;
  specialTokens: 'text' | 'parse';
  overlong: 'error' | 'truncate';
  inputBytes: number;
  queueRequests: number;
  batchTokens: number;
  batchRows: number;
  batchMs: number;
  maxWaitMs: number;
  /** 'auto' only where nothing said of the precision decides. */
  device: 'auto' | 'cpu' | 'cuda';
  /** With 'auto', that of the CPU. */
  precision: Precision;
  /** null: nowhere. undefined: not said. */
  cacheDir: string | null | undefined;
  /** Bytes; 0: what the machine has available. */
  memoryLimit: number;
  /** Bytes, of each guard. */
  kvBytes: number;
  /** Of the GPU's memory, for the guards together: bytes, or a share; both 0: the default. */
  gpuLimit: { bytes: number; fraction: number };
  /** 0: one per core. */
  threads: number;
}

export interface GuardPlace {
  dir: string;
  guard: GuardSpec | null;
}

/** undefined: not said, so saferoute.json or the default decides. null: none. */
export interface PairSettings extends EngineSettings {
  small: GuardPlace | undefined;
  large: GuardPlace | null | undefined;
  router: string | null | undefined;
  escalation: Escalation | undefined;
  unsafeAt: number | undefined;
  valves: ValveSettings;
}

type Options = Record<string, unknown>;

const kMaxCount = 2 ** 31 - 1; // what fits native's int32
export const kMaxThreads = 1024;
const kKvBytes = 256 << 20;
const kEngineKeys = [
  'guard',
  'device',
  'precision',
  'cacheDir',
  'specialTokens',
  'overlong',
  'limits',
  'batch',
  'memory',
  'threads',
];
const kPairKeys = [...kEngineKeys, 'small', 'large', 'router', 'escalation', 'unsafeAt', ...kValveKeys];

export function parseGuardOptions(value: unknown): EngineSettings {
  return engineSettings(optionGroup(value, kEngineKeys, 'options'));
}

/** `parts` are options too; those of `value` override them. */
export function parsePairOptions(value: unknown, parts?: unknown): PairSettings {
  const options = { ...optionGroup(parts, kPairKeys, 'source'), ...optionGroup(value, kPairKeys, 'options') };
  return {
    ...engineSettings(options),
    small: optional(options.small, (given) => guardPlace(given, 'options.small')),
    large: optionalOrNull(options.large, (given) => guardPlace(given, 'options.large')),
    router: optionalOrNull(options.router, (given) => parsePath(given, 'options.router')),
    escalation: optional(options.escalation, (given) => readEscalation(given, 'options.escalation', kOptionComplaints)),
    unsafeAt: optional(options.unsafeAt, (given) => numberIn(given, kShare, 'options.unsafeAt')),
    valves: readValves(options, 'options.', kOptionComplaints),
  };
}

function engineSettings(options: Options): EngineSettings {
  const limits = optionGroup(options.limits, ['inputBytes', 'queueRequests'], 'options.limits');
  const batch = optionGroup(options.batch, ['tokens', 'rows', 'ms', 'maxWait'], 'options.batch');
  const memory = optionGroup(options.memory, ['limit', 'kv', 'gpu'], 'options.memory');
  return {
    guard: options.guard === undefined ? null : guardSpec(options.guard, 'options.guard'),
    specialTokens: choice(options.specialTokens, ['text', 'parse'], 'options.specialTokens'),
    overlong: choice(options.overlong, ['error', 'truncate'], 'options.overlong'),
    inputBytes: count(limits.inputBytes, 1 << 20, 1, kMaxCount, 'options.limits.inputBytes'),
    queueRequests: count(limits.queueRequests, 1024, 1, kMaxCount, 'options.limits.queueRequests'),
    batchTokens: count(batch.tokens, 1024, 1, kMaxCount, 'options.batch.tokens'),
    batchRows: count(batch.rows, 256, 1, kMaxCount, 'options.batch.rows'),
    batchMs: count(batch.ms, 250, 1, kMaxCount, 'options.batch.ms'),
    maxWaitMs: count(batch.maxWait, 100, 0, kMaxCount, 'options.batch.maxWait'),
    ...deviceSettings(options.device, options.precision),
    cacheDir: optionalOrNull(options.cacheDir, (given) => parsePath(given, 'options.cacheDir')),
    memoryLimit: count(memory.limit, 0, 1, Number.MAX_SAFE_INTEGER, 'options.memory.limit'),
    kvBytes: count(memory.kv, kKvBytes, 1, Number.MAX_SAFE_INTEGER, 'options.memory.kv'),
    gpuLimit: gpuLimit(memory.gpu, 'options.memory.gpu'),
    threads: count(options.threads, 0, 1, kMaxThreads, 'options.threads'),
  };
}

export const kPrecisions: readonly Precision[] = ['int8', 'f32', 'bf16', 'fp8'];
const kCpuPrecisions: readonly Precision[] = ['int8', 'f32'];

/** A precision belongs to one device, and so decides for it where none is named. Where neither is, it is the CPU. */
function deviceSettings(device: unknown, precision: unknown): Pick<EngineSettings, 'device' | 'precision'> {
  const asked = device === undefined ? null : choice(device, ['auto', 'cpu', 'cuda'], 'options.device');
  const wanted = choice(precision, ['auto', ...kPrecisions], 'options.precision');
  if (wanted === 'auto') return { device: asked ?? 'cpu', precision: asked === 'cuda' ? 'bf16' : 'int8' };
  const home = kCpuPrecisions.includes(wanted) ? 'cpu' : 'cuda';
  if (asked === null || asked === 'auto' || asked === home) return { device: home, precision: wanted };
  const others = asked === 'cpu' ? kCpuPrecisions : kPrecisions.filter((name) => !kCpuPrecisions.includes(name));
  throw new SafeRouteError(
    'ERR_UNSUPPORTED',
    `options.precision is ${describe(wanted)}; the device ${describe(asked)} has ${others.join(', ')}`,
  );
}

function guardSpec(value: unknown, where: string): GuardSpec {
  if (typeof value === 'object' && value !== null) return parseSpec(value, where);
  const family = kFamilyNames.find((name) => name === value);
  if (family !== undefined) return { family };
  throw typeError(where, `one of ${kFamilyNames.map((name) => `'${name}'`).join(', ')}, or a guard spec`, value);
}

function guardPlace(value: unknown, where: string): GuardPlace {
  if (typeof value === 'string') return { dir: parsePath(value, where), guard: null };
  if (typeof value !== 'object' || value === null) throw typeError(where, 'a directory, or an object with dir', value);
  const { dir, guard } = optionGroup(value, ['dir', 'guard'], where);
  return {
    dir: parsePath(dir, `${where}.dir`),
    guard: guard === undefined ? null : guardSpec(guard, `${where}.guard`),
  };
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value);
}

function optionalOrNull<T>(value: unknown, read: (value: unknown) => T): T | null | undefined {
  return value === null ? null : optional(value, read);
}

/** A number up to 1 is a share, a larger one bytes. */
function gpuLimit(value: unknown, where: string): EngineSettings['gpuLimit'] {
  if (value === undefined) return { bytes: 0, fraction: 0 };
  if (typeof value !== 'number') throw typeError(where, 'a number', value);
  if (value > 0 && value <= 1) return { bytes: 0, fraction: value };
  if (Number.isSafeInteger(value) && value > 1) return { bytes: value, fraction: 0 };
  throw rangeError(where, 'a share over 0 and up to 1, or a whole number of bytes', value);
}
