/** Opens everything that a pair or a guard is made of, in the order in which a mistake is cheapest to find, and leaves nothing behind if one fails. */

import { basename, join } from 'node:path';
import { type ChatTemplateSource, readChatTemplate } from './chat-template.js';
import { type Checkpoint, openCheckpoint, openRouter, type RouterFile, requireRouterFits } from './checkpoint/index.js';
import { isRegularFile, readJsonFile } from './checkpoint/source-file.js';
import { isJsonObject } from './checkpoint/strict-json.js';
import { planWeightCache } from './checkpoint/weight-cache.js';
import { warnOfCache } from './diagnostics.js';
import { Engine } from './engine.js';
import { fromNative, SafeRouteError } from './errors.js';
import { type GuardSpec, parseSpec, type ResolvedSpec, resolveSpec } from './guard-spec.js';
import type { NativeAddon, NativeEngineConfig, NativeGuard, NativeGuardInfo } from './native.js';
import type { Escalation } from './options.js';
import type { PromptSource } from './prompter.js';
import { Tickets } from './tickets.js';
import { Tokenizers } from './tokenizers.js';
import type { EngineSettings, GuardPlace } from './validate-options.js';
import type { VerdictTokens } from './verdict-tokens.js';

const kGuardJsonLimit = 1 << 20; // bytes
const kConfigLimit = 16 << 20; // bytes

/** What is loaded. `router` and `escalation` go with a pair. */
export interface LoadPlan {
  small: GuardPlace;
  large: GuardPlace | null;
  router: string | null;
  escalation: Escalation | null;
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
  /** With every default applied. */
  escalation: Required<Escalation>;
}

/** Rejects with ERR_CHECKPOINT, ERR_SPEC, ERR_UNSUPPORTED or ERR_MEMORY; then no thread and no file is left open. */
export async function load(plan: LoadPlan, addon: NativeAddon): Promise<Loaded> {
  const small = await openGuardFiles(plan.small, plan.settings);
  const large = plan.large === null ? null : await openGuardFiles(plan.large, plan.settings);
  const router = plan.router === null ? null : await openRouter(plan.router);
  if (router !== null) requireRouterFits(router, small.checkpoint);
  const escalation = settleEscalation(plan.escalation, large !== null, router);
  requireWithinLimit(large === null ? [small] : [small, large], plan.settings, addon);
  const sources = [promptSource(small, large === null ? 'guard' : 'small', plan.settings)] as [
    PromptSource,
    ...PromptSource[],
  ];
  if (large !== null) sources.push(promptSource(large, 'large', plan.settings));
  const tokenizers = await Tokenizers.open(sources);
  const [smallTokens, largeTokens] = tokenizers.guards;
  const tickets = new Tickets();
  let engine: Engine | null = null;
  try {
    const config: NativeEngineConfig = {
      small: await nativeGuard(small, smallTokens, router, plan.settings, addon),
      large: large === null ? null : await nativeGuard(large, largeTokens, null, plan.settings, addon),
      escalation: nativeEscalation(escalation),
      queueRequests: plan.settings.queueRequests,
      batchTokens: plan.settings.batchTokens,
      batchRows: plan.settings.batchRows,
      batchMs: plan.settings.batchMs,
      maxWaitMs: plan.settings.maxWaitMs,
      memoryLimit: plan.settings.memoryLimit,
      threads: plan.settings.threads,
    };
    const native = await addon.loadEngine(config, tickets.deliver);
    tellOfCache(native.small, small);
    if (native.large !== null && large !== null) tellOfCache(native.large, large);
    engine = new Engine(native, tokenizers, tickets, escalation.kind === 'random');
    await engine.readHeads();
    return { engine, small, large, router, escalation };
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
  const names = [basename(checkpoint.directory), await nameInConfig(checkpoint.configPath)];
  const marks = { modelType: checkpoint.modelType, template: template.source, names };
  return { checkpoint, template, spec: resolveSpec(chosen, filed, marks, checkpoint.directory) };
}

async function readGuardJson(directory: string): Promise<GuardSpec | null> {
  const path = join(directory, 'guard.json');
  return (await isRegularFile(path)) ? parseSpec(await readJsonFile(path, kGuardJsonLimit), path) : null;
}

async function nameInConfig(path: string): Promise<string> {
  const config = await readJsonFile(path, kConfigLimit);
  const name = isJsonObject(config) ? config._name_or_path : null;
  return typeof name === 'string' ? name : '';
}

/** `memory.limit` bounds the guards together; native code holds each against what the machine has. Throws ERR_MEMORY. */
function requireWithinLimit(
  guards: OpenedGuard[],
  { memoryLimit, precision, batchTokens, kvBytes }: EngineSettings,
  addon: NativeAddon,
): void {
  if (memoryLimit === 0) return;
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

function tellOfCache({ weightCache }: NativeGuardInfo, { checkpoint }: OpenedGuard): void {
  if (typeof weightCache === 'object')
    warnOfCache(checkpoint.directory, `converted weights are not kept for the next load: ${weightCache.warning}`);
}

/** Applies the defaults of the rule. Throws ERR_SPEC where it needs a guard or a router that is not there. */
function settleEscalation(
  given: Escalation | null,
  hasLarge: boolean,
  router: RouterFile | null,
): Required<Escalation> {
  const refuse = (problem: string) => {
    throw new SafeRouteError('ERR_SPEC', problem);
  };
  if (!hasLarge && given !== null && given.kind !== 'never')
    refuse(`escalation by '${given.kind}' needs a large guard, and there is none`);
  if (hasLarge && given === null && router === null)
    refuse("a pair without a router needs the escalation option, for instance { kind: 'entropy' }");
  const rule: Escalation = given ?? (hasLarge ? { kind: 'router' } : { kind: 'never' });
  if (rule.kind === 'router') {
    if (router === null) refuse("escalation by 'router' needs a router, and there is none");
    return { kind: 'router', threshold: rule.threshold ?? router?.defaultThreshold ?? 0.5 };
  }
  if (rule.kind === 'entropy') return { kind: 'entropy', threshold: rule.threshold ?? 0.5 };
  if (rule.kind === 'random') return { kind: 'random', rate: rule.rate ?? 0.5, seed: rule.seed ?? 0 };
  return rule;
}

function nativeEscalation(rule: Required<Escalation>): NativeEngineConfig['escalation'] {
  const threshold = 'threshold' in rule ? rule.threshold : 'rate' in rule ? rule.rate : 0;
  return { kind: rule.kind, threshold, seed: 'seed' in rule ? rule.seed : 0 };
}
