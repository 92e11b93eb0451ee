/** Opens everything that a pair or a guard is made of, in the order in which a mistake is cheapest to find, and leaves nothing behind if one fails. */

import { basename, join } from 'node:path';
import { type ChatTemplateSource, readChatTemplate } from './chat-template.js';
import {
  type Checkpoint,
  openCheckpoint,
  openRouter,
  planWeightCache,
  type RouterFile,
  requireRouterFits,
} from './checkpoint/index.js';
import { isRegularFile, readJsonFile } from './checkpoint/source-file.js';
import { removeSuperseded } from './checkpoint/superseded-caches.js';
import { type SettledSettings, settleDevice, withFallback } from './device.js';
import { publishAlarm, warnOfCache, warnOfMemory } from './diagnostics.js';
import { Engine } from './engine.js';
import { fromNative, SafeRouteError } from './errors.js';
import { nativeEscalation, nativeValves, settleEscalation, settleValves } from './escalation-plan.js';
import type { ValveSettings } from './escalation-settings.js';
import { toAlarmEvent } from './escalation-stats.js';
import { type GuardSpec, parseSpec, type ResolvedSpec, resolveSpec } from './guard-spec.js';
import type { NativeAddon, NativeEngineConfig, NativeGuard, NativeGuardInfo } from './native.js';
import type { Escalation, EscalationInForce, Valves } from './options.js';
import type { PromptSource } from './prompter.js';
import { Tickets } from './tickets.js';
import { Tokenizers } from './tokenizers.js';
import type { EngineSettings, GuardPlace } from './validate-options.js';
import type { VerdictTokens } from './verdict-tokens.js';

const kGuardJsonLimit = 1 << 20; // bytes

/** What is loaded. All but the small guard and the settings goes with a pair. */
export interface LoadPlan {
  small: GuardPlace;
  large: GuardPlace | null;
  router: string | null;
  escalation: Escalation | null;
  valves: ValveSettings;
  /** Of escalation rates, that the rule was calibrated to. */
  band: [number, number] | null;
  unsafeAt: number;
  settings: EngineSettings;
}

/** A guard's files, read as far as JavaScript reads them. */
export interface OpenedGuard {
  checkpoint: Checkpoint;
  spec: ResolvedSpec;
  template: ChatTemplateSource;
}

export interface Loaded {
  engine: Engine;
  small: OpenedGuard;
  large: OpenedGuard | null;
  router: RouterFile | null;
  escalation: EscalationInForce;
  valves: Valves;
  unsafeAt: number;
  /** With the device and the precision that the guards came to have. */
  settings: SettledSettings;
}

/** Rejects with ERR_CHECKPOINT, ERR_SPEC, ERR_UNSUPPORTED or ERR_MEMORY; then no thread and no file is left open. */
export async function load(plan: LoadPlan, addon: NativeAddon): Promise<Loaded> {
  const small = await openGuardFiles(plan.small, plan.settings);
  const large = plan.large === null ? null : await openGuardFiles(plan.large, plan.settings);
  const router = plan.router === null ? null : await openRouter(plan.router);
  if (router !== null) requireRouterFits(router, small.checkpoint);
  const escalation = settleEscalation(plan.escalation, large !== null, router);
  const valves = settleValves(plan.valves, plan.band, large !== null);
  const settled = await settleDevice(plan.settings, addon);
  const tokenizers = await Tokenizers.open([
    promptSource(small, large === null ? 'guard' : 'small', plan.settings),
    ...(large === null ? [] : [promptSource(large, 'large', plan.settings)]),
  ]);
  const [smallTokens, largeTokens] = tokenizers.guards;
  const guards = { small: small.checkpoint.directory, large: large?.checkpoint.directory ?? '' };
  const tickets = new Tickets((alarm) => publishAlarm(toAlarmEvent(alarm, Date.now(), guards)));
  const loadOn = async (settings: SettledSettings) => {
    requireWithinLimit(large === null ? [small] : [small, large], settings, addon);
    const config: NativeEngineConfig = {
      device: settings.device,
      small: await nativeGuard(small, smallTokens, router, settings, addon),
      large: large === null ? null : await nativeGuard(large, largeTokens, null, settings, addon),
      escalation: nativeEscalation(escalation),
      valves: nativeValves(valves),
      unsafeAt: plan.unsafeAt,
      queueRequests: settings.queueRequests,
      batchTokens: settings.batchTokens,
      batchRows: settings.batchRows,
      batchMs: settings.batchMs,
      maxWaitMs: settings.maxWaitMs,
      memoryLimit: settings.memoryLimit,
      threads: settings.threads,
      gpuLimit: settings.gpuLimit,
    };
    return { native: await addon.loadEngine(config, tickets.deliver), config, settings };
  };
  let engine: Engine | null = null;
  try {
    const { native, config, settings } = await withFallback(plan.settings, settled, loadOn);
    await settleCache(native.small, config.small, small);
    if (native.large !== null && config.large !== null && large !== null)
      await settleCache(native.large, config.large, large);
    if (native.small.gpuMemory?.notice) warnOfMemory(native.small.gpuMemory.notice);
    engine = new Engine(native, tokenizers, tickets, {
      thrown: escalation.kind === 'random' || escalation.kind === 'budget' || valves.audit !== null,
      audit: valves.audit !== null,
    });
    await engine.readHeads();
    return { engine, small, large, router, escalation, valves, unsafeAt: plan.unsafeAt, settings };
  } catch (error) {
    await (engine ?? tokenizers).close();
    throw fromNative(error);
  }
}

/** Everything of a guard but its weights and its tokenizer: checkpoint, template, and the spec that holds for it. */
export async function openGuardFiles(place: GuardPlace, settings: Pick<EngineSettings, 'guard'>): Promise<OpenedGuard> {
  const checkpoint = await openCheckpoint(place.dir);
  const chosen = place.guard ?? settings.guard;
  const filed = await readGuardJson(checkpoint.directory);
  const template = await readChatTemplate(checkpoint.directory, chosen?.template ?? filed?.template ?? null);
  const names = [basename(checkpoint.directory), checkpoint.savedAs];
  const marks = { modelType: checkpoint.modelType, template: template.source, names };
  return { checkpoint, template, spec: resolveSpec(chosen, filed, marks, checkpoint.directory) };
}

async function readGuardJson(directory: string): Promise<GuardSpec | null> {
  const path = join(directory, 'guard.json');
  return (await isRegularFile(path)) ? parseSpec(await readJsonFile(path, kGuardJsonLimit), path) : null;
}

/** `memory.limit` bounds guards on the CPU together; native code holds each against what the machine has. Throws ERR_MEMORY. */
function requireWithinLimit(
  guards: OpenedGuard[],
  { memoryLimit, precision, batchTokens, kvBytes }: SettledSettings,
  addon: NativeAddon,
): void {
  if (memoryLimit === 0 || (precision !== 'int8' && precision !== 'f32')) return;
  const needs = guards.map(
    ({ checkpoint }) => addon.estimateMemory(checkpoint.spec, precision, batchTokens, kvBytes).peakBytes,
  );
  const total = needs.reduce((sum, bytes) => sum + bytes, 0);
  if (total <= memoryLimit) return;
  throw new SafeRouteError(
    'ERR_MEMORY',
    `the load needs about ${mebibytes(total)} of memory (${needs.map(mebibytes).join(' + ')}), the limit is ${mebibytes(memoryLimit)}`,
  );
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function promptSource(
  { checkpoint, spec, template }: OpenedGuard,
  name: string,
  settings: EngineSettings,
): PromptSource {
  return {
    name,
    dir: checkpoint.directory,
    spec,
    template,
    contextTokens: checkpoint.spec.maxPositions,
    vocabSize: checkpoint.spec.vocabSize,
    specialTokens: settings.specialTokens,
    overlong: settings.overlong,
  };
}

async function nativeGuard(
  { checkpoint }: OpenedGuard,
  tokens: VerdictTokens | undefined,
  router: RouterFile | null,
  { precision, cacheDir, kvBytes }: EngineSettings,
  addon: NativeAddon,
): Promise<NativeGuard> {
  if (tokens === undefined) throw new Error('the tokenizer answers for every guard');
  const { files, tensors, spec } = checkpoint;
  const weightCache = precision === 'int8' ? await planWeightCache(checkpoint, addon.int8Weights(), cacheDir) : null;
  return { files, tensors, spec, precision, weightCache, kvBytes, ...tokens, router: router?.router ?? null };
}

/** A file that was written makes older ones of the same guard useless; one that could not be is told of. */
async function settleCache(info: NativeGuardInfo, { weightCache }: NativeGuard, { checkpoint }: OpenedGuard) {
  if (info.weightCache === 'written' && weightCache !== null) await removeSuperseded(weightCache);
  if (typeof info.weightCache === 'object')
    warnOfCache(checkpoint.directory, `converted weights are not kept for the next load: ${info.weightCache.warning}`);
}
