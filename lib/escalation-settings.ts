/**
 * Reads the escalation rule and the valves around it, of a caller's options and of saferoute.json alike: which members there are, of which
 * types and ranges. Only the way to complain differs between the two.
 */

import {
  type Complaints,
  kShare,
  type Members,
  type NumberRange,
  readFlag,
  readMembers,
  readNumber,
  readWord,
} from './checked-values.js';
import { isJsonObject } from './checkpoint/strict-json.js';
import type { Audit, Combine, EntropyCalibration, Escalation, EscalationCap, RateAlarm } from './options.js';

/** What stands around the rule, without defaults. undefined: not said. null: none. */
export interface ValveSettings {
  combine: Combine | undefined;
  audit: Audit | null | undefined;
  alarm: RateAlarm | null | undefined;
  cap: EscalationCap | null | undefined;
  shadow: boolean | undefined;
}

export const kValveKeys = ['combine', 'audit', 'alarm', 'cap', 'shadow'] as const;

export const kNoValves: ValveSettings = {
  combine: undefined,
  audit: undefined,
  alarm: undefined,
  cap: undefined,
  shadow: undefined,
};

type Numbers = Readonly<Record<string, NumberRange>>;
type Kinds<K extends string> = Readonly<Record<K, { numbers: Numbers; required?: readonly string[] }>>;

const kBetween = { min: 0, max: 1, open: true } as const;
const kSeed = { min: 0, max: Number.MAX_SAFE_INTEGER, whole: true } as const;
const kWindow = { min: 10, max: 100_000, whole: true } as const; // native code keeps a decision, or a score, of each
export const kPerSecond = { min: 0.001, max: 1_000_000 };
export const kTemperature = { min: 0.001, max: 1000 };

const kRules: Kinds<Escalation['kind']> = {
  router: { numbers: { threshold: kShare } },
  entropy: { numbers: { threshold: kShare } },
  random: { numbers: { rate: kShare, seed: kSeed } },
  budget: { numbers: { share: kShare, window: kWindow }, required: ['share'] },
  always: { numbers: {} },
  never: { numbers: {} },
};
const kCalibrations: Kinds<EntropyCalibration['kind']> = {
  temperature: { numbers: { temperature: kTemperature }, required: ['temperature'] },
  contextual: { numbers: { prior: kBetween }, required: ['prior'] },
  batch: { numbers: { prior: kBetween }, required: ['prior'] },
};
const kCombinations: Kinds<Combine['kind']> = {
  large: { numbers: {} },
  ensemble: { numbers: { largeWeight: kShare } },
};

/** Only what was given is in it. */
export function readEscalation(value: unknown, where: string, complain: Complaints): Escalation {
  const { kind, members } = readKind(value, kRules, where, complain, { entropy: ['calibration'] });
  const rule = readNumbers(members, kRules[kind], where, complain);
  if (members.calibration === undefined) return { kind, ...rule } as Escalation;
  const calibration = readCalibration(members.calibration, `${where}.calibration`, complain);
  return { kind, ...rule, calibration } as Escalation;
}

/** The valves among `members`; `prefix` goes before their names. */
export function readValves(members: Readonly<Members>, prefix: string, complain: Complaints): ValveSettings {
  const read = <T>(key: keyof ValveSettings, reader: (value: unknown, where: string, complain: Complaints) => T) =>
    members[key] === undefined ? undefined : reader(members[key], prefix + key, complain);
  return {
    combine: read('combine', readCombine),
    audit: read('audit', orNone(readAudit)),
    alarm: read('alarm', orNone(readAlarm)),
    cap: read('cap', orNone(readCap)),
    shadow: read('shadow', readFlag),
  };
}

/** Two rates, the lower one first. */
export function readBand(value: unknown, where: string, complain: Complaints): [number, number] {
  const expected = 'two rates [low, high] from 0 to 1';
  if (!Array.isArray(value) || value.length !== 2) return complain.wrongType(where, expected, value);
  const [low, high] = value.map((rate, place) => readNumber(rate, `${where}[${place}]`, kShare, complain)) as [
    number,
    number,
  ];
  return low <= high ? [low, high] : complain.outOfRange(where, `${expected}, low ≤ high`, `[${low}, ${high}]`);
}

function readCalibration(value: unknown, where: string, complain: Complaints): EntropyCalibration {
  const { kind, members } = readKind(value, kCalibrations, where, complain);
  return { kind, ...readNumbers(members, kCalibrations[kind], where, complain) } as EntropyCalibration;
}

function readCombine(value: unknown, where: string, complain: Complaints): Combine {
  const { kind, members } = readKind(value, kCombinations, where, complain);
  return { kind, ...readNumbers(members, kCombinations[kind], where, complain) } as Combine;
}

function readAudit(value: unknown, where: string, complain: Complaints): Audit {
  const members = readMembers(value, ['rate', 'seed'], where, complain);
  const shape = { numbers: { rate: kShare, seed: kSeed }, required: ['rate'] };
  return readNumbers(members, shape, where, complain) as unknown as Audit;
}

function readAlarm(value: unknown, where: string, complain: Complaints): RateAlarm {
  const members = readMembers(value, ['band', 'window'], where, complain);
  const alarm: RateAlarm = readNumbers(members, { numbers: { window: kWindow } }, where, complain);
  return members.band === undefined ? alarm : { ...alarm, band: readBand(members.band, `${where}.band`, complain) };
}

function readCap(value: unknown, where: string, complain: Complaints): EscalationCap {
  const members = readMembers(value, ['perSecond', 'otherwise'], where, complain);
  const perSecond = readNumber(members.perSecond, `${where}.perSecond`, kPerSecond, complain);
  if (members.otherwise === undefined) return { perSecond };
  return { perSecond, otherwise: readWord(members.otherwise, ['small', 'error'], `${where}.otherwise`, complain) };
}

function orNone<T>(reader: (value: unknown, where: string, complain: Complaints) => T) {
  return (value: unknown, where: string, complain: Complaints): T | null =>
    value === null ? null : reader(value, where, complain);
}

/** An object whose `kind` says which numbers it may have; `others` names the members beside them. */
function readKind<K extends string>(
  value: unknown,
  kinds: Kinds<K>,
  where: string,
  complain: Complaints,
  others: Partial<Record<K, readonly string[]>> = {},
): { kind: K; members: Members } {
  if (!isJsonObject(value)) return complain.wrongType(where, 'an object with kind', value);
  const kind = readWord(value.kind, Object.keys(kinds) as K[], `${where}.kind`, complain);
  const known = ['kind', ...Object.keys(kinds[kind].numbers), ...(others[kind] ?? [])];
  return { kind, members: readMembers(value, known, where, complain) };
}

function readNumbers(
  members: Members,
  { numbers, required = [] }: { numbers: Numbers; required?: readonly string[] },
  where: string,
  complain: Complaints,
): Record<string, number> {
  const given = Object.entries(numbers).filter(([key]) => members[key] !== undefined || required.includes(key));
  return Object.fromEntries(
    given.map(([key, range]) => [key, readNumber(members[key], `${where}.${key}`, range, complain)]),
  );
}
