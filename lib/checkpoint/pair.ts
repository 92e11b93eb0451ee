/**
 * saferoute.json: a pair of guards, a router, the escalation rule and its valves on disk. Describes; opens none of what
 * it names.
 */

import { dirname, join, resolve } from 'node:path';
import { type Complaints, kShare, readNumber } from '../checked-values.js';
import { kValveKeys, readBand, readEscalation, readValves, type ValveSettings } from '../escalation-settings.js';
import type { Escalation } from '../options.js';
import { quoted, refuseSpec, shown } from './refusal.js';
import { readJsonFile, statOf } from './source-file.js';
import { isJsonObject, type JsonObject } from './strict-json.js';

/** Paths are absolute. */
export interface Pair {
  /** The saferoute.json itself. */
  path: string;
  small: string;
  large: string | null;
  router: string | null;
  /** null where the file leaves it to the defaults. */
  escalation: Escalation | null;
  /** null where the file leaves it to the default. */
  unsafeAt: number | null;
  /** Each undefined where the file leaves it to the default, null where it says that there is none. */
  valves: ValveSettings;
  /** null where the threshold was not calibrated. */
  calibrated: CalibrationRecord | null;
}

/** What the escalation rule was calibrated to. */
export interface CalibrationRecord {
  /** Rows that it was calibrated on, and the share of them that it escalates. */
  rows: number;
  rate: number;
  /** Where the rate on other rows of that kind lies, with this confidence. */
  band: [number, number];
  confidence: number;
  /** What the calibration was to reach, in words. */
  target: string;
}

const kPairName = 'saferoute.json';
const kPairLimit = 1024 * 1024; // bytes
const kPairKeys = ['small', 'large', 'router', 'escalation', 'unsafeAt', ...kValveKeys, 'calibrated'];
const kCalibratedKeys = ['rows', 'rate', 'band', 'confidence', 'target'];
const kRows = { min: 1, max: Number.MAX_SAFE_INTEGER, whole: true } as const;

/**
 * `file` is a saferoute.json or a directory that has one. Throws ERR_SPEC naming the key, the value and what is
 * allowed.
 */
export async function openPair(file: string): Promise<Pair> {
  const path = await pairPath(resolve(file));
  const parsed = await readJsonFile(path, kPairLimit);
  if (!isJsonObject(parsed)) return refuseSpec(path, 'is not a JSON object');
  const complain = complaints(path);
  refuseUnknownKeys(path, parsed, kPairKeys, '');
  const { escalation, unsafeAt, calibrated } = parsed;
  const at = (name: string | null): string | null => (name === null ? null : resolve(dirname(path), name));
  const small = readPath(path, parsed, 'small');
  if (small === null) return refuseSpec(path, "'small' is missing: the directory of the small guard");
  const pair: Pair = {
    path,
    small: at(small) as string,
    large: at(readPath(path, parsed, 'large')),
    router: at(readPath(path, parsed, 'router')),
    escalation: (escalation ?? null) === null ? null : readEscalation(escalation, 'escalation', complain),
    unsafeAt: unsafeAt === undefined ? null : readNumber(unsafeAt, 'unsafeAt', kShare, complain),
    valves: readValves(parsed, '', complain),
    calibrated: (calibrated ?? null) === null ? null : readCalibrated(path, calibrated, complain),
  };
  requireParts(pair);
  return pair;
}

async function pairPath(path: string): Promise<string> {
  return (await statOf(path)).isDirectory() ? join(path, kPairName) : path;
}

function refuseUnknownKeys(path: string, object: JsonObject, known: readonly string[], prefix: string): void {
  const unknown = Object.keys(object).find((key) => !known.includes(key));
  if (unknown !== undefined) refuseUnknown(path, unknown, known, prefix);
}

function refuseUnknown(path: string, unknown: string, known: readonly string[], prefix: string): never {
  return refuseSpec(
    path,
    `unknown key ${quoted(prefix + unknown)}; known: ${known.map((key) => prefix + key).join(', ')}`,
  );
}

function readPath(path: string, object: JsonObject, key: string): string | null {
  const value = object[key] ?? null;
  if (value === null || (typeof value === 'string' && value !== '')) return value;
  return refuseSpec(path, `${quoted(key)} must be a path, got ${shown(value)}`);
}

function readCalibrated(path: string, value: unknown, complain: Complaints): CalibrationRecord {
  if (!isJsonObject(value)) return refuseSpec(path, `'calibrated' must be an object, got ${shown(value)}`);
  refuseUnknownKeys(path, value, kCalibratedKeys, 'calibrated.');
  const { rows, rate, band, confidence, target } = value;
  if (typeof target !== 'string') return refuseSpec(path, `'calibrated.target' must be a text, got ${shown(target)}`);
  return {
    rows: readNumber(rows, 'calibrated.rows', kRows, complain),
    rate: readNumber(rate, 'calibrated.rate', kShare, complain),
    band: readBand(band, 'calibrated.band', complain),
    confidence: readNumber(confidence, 'calibrated.confidence', kShare, complain),
    target,
  };
}

/** The file's way to complain of a setting. */
function complaints(path: string): Complaints {
  const refuseValue = (key: string, expected: string, value: unknown): never =>
    refuseSpec(path, `${quoted(key)} must be ${expected}, got ${shown(value)}`);
  return {
    wrongType: refuseValue,
    outOfRange: refuseValue,
    unknownKey: (where, key, known) => refuseUnknown(path, key, known, `${where}.`),
  };
}

/** What the escalation rule and its valves need must be there. */
function requireParts({ path, large, router, escalation, valves }: Pair): void {
  const kind = escalation?.kind ?? null;
  if (large === null && kind !== null && kind !== 'never') {
    refuseSpec(path, `escalation by ${quoted(kind)} needs a large guard, and 'large' is missing`);
  }
  if (router === null && kind === 'router')
    refuseSpec(path, "escalation by 'router' needs a router, and 'router' is missing");
  const valve = kValveKeys.find((key) => Boolean(valves[key]));
  if (large === null && valve !== undefined)
    refuseSpec(path, `${quoted(valve)} needs a large guard, and 'large' is missing`);
}
