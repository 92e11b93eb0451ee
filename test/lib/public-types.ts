// What the types allow and what they refuse. Never run: the type check of the repository compiles it, and test/lib/types.test.ts does.
import {
  AbortError,
  type EscalationInForce,
  Guard,
  type Moderation,
  type Precision,
  type Reading,
  SafeRoute,
  SafeRouteError,
  type SettledRow,
  type Stage,
  type Stats,
  UnsafeResponseError,
  type Valves,
  type Verdict,
} from '../../lib/index.js';

export async function pairs(): Promise<void> {
  await using saferoute: SafeRoute = await SafeRoute.load();
  await SafeRoute.load('dir', { escalation: { kind: 'random', rate: 0.2, seed: 1 } });
  await SafeRoute.load({
    small: 'a',
    large: { dir: 'b', guard: 'dynaguard' },
    router: null,
    escalation: { kind: 'always' },
  });
  await SafeRoute.load({
    escalation: { kind: 'entropy', calibration: { kind: 'temperature', temperature: 1.5 } },
    combine: { kind: 'ensemble', largeWeight: 0.7 },
    audit: { rate: 0.01, seed: 1 },
    alarm: { band: [0.1, 0.2], window: 500 },
    cap: { perSecond: 5, otherwise: 'error' },
    shadow: true,
  });
  await SafeRoute.load('dir', { escalation: { kind: 'budget', share: 0.2 }, audit: null, alarm: null, cap: null });
  // @ts-expect-error: a budget needs its share
  await SafeRoute.load({ escalation: { kind: 'budget' } });
  // @ts-expect-error: a temperature is no prior
  await SafeRoute.load({ escalation: { kind: 'entropy', calibration: { kind: 'batch', temperature: 1 } } });
  // @ts-expect-error: a band has two ends
  await SafeRoute.load({ alarm: { band: [0.1] } });
  // @ts-expect-error: always takes no threshold
  await SafeRoute.load({ escalation: { kind: 'always', threshold: 1 } });
  // @ts-expect-error: no such family
  await SafeRoute.load({ guard: 'llama-guard-2' });
  // @ts-expect-error: no such option
  await SafeRoute.load({ treads: 2 });

  const verdict: Verdict = await saferoute.check(
    { prompt: 'a', response: 'b' },
    { id: 'x', signal: AbortSignal.timeout(1) },
  );
  const { label, hardness, large }: { label: 'safe' | 'unsafe'; hardness: number | null; large: Reading | null } =
    verdict;
  const moderation: Moderation = saferoute.moderate(['a'], { messages: 'b', every: 16, hold: false, onUnsafe: 'end' });
  for await (const text of moderation) text.toUpperCase();
  const last: Verdict | null = await moderation.verdict;
  const unsafe: Verdict = new UnsafeResponseError(verdict).verdict;
  void [last, unsafe];
  // @ts-expect-error: what the response answers must be said
  saferoute.moderate(['a'], { every: 16 });
  // @ts-expect-error: there may be no large reading
  large.score;
  // @ts-expect-error: a response alone is nothing to judge
  await saferoute.check({ response: 'b' });
  // @ts-expect-error: no such role
  await saferoute.check([{ role: 'tool', content: 'a' }]);
  await saferoute.check('a', { priority: 'bulk', deadline: 250 });
  // @ts-expect-error: no such priority
  await saferoute.check('a', { priority: 'urgent' });
  await SafeRoute.load({ precision: 'int8', cacheDir: null, memory: { kv: 1 }, batch: { ms: 1, maxWait: 0 } });
  // @ts-expect-error: no such precision
  await SafeRoute.load({ precision: 'int4' });
  verdict.escalation satisfies 'none' | 'rule' | 'audit' | 'capped' | 'shadow';
  const { valves, escalation: rule }: { valves: Valves; escalation: EscalationInForce } = saferoute;
  if (rule.kind === 'budget') [rule.share, rule.window] satisfies number[];
  valves.cap?.otherwise satisfies 'small' | 'error' | undefined;
  // @ts-expect-error: there may be no audit
  valves.audit.rate;
  const { escalation, audits, alarm }: Stats = saferoute.stats();
  [escalation.rate, audits?.missed ?? 0, alarm?.limits[0] ?? 0] satisfies number[];
  const { escalation_rate, small, latency_ms }: Stats = saferoute.stats();
  [escalation_rate, small.cache_hits, latency_ms.total.p99] satisfies number[];
  // @ts-expect-error: there may be no large guard
  saferoute.stats().large.queued;
  void [label, hardness];
}

export async function many(saferoute: SafeRoute): Promise<void> {
  for await (const verdict of saferoute.checkAll(['a', { prompt: 'b', id: 'c' }])) verdict.label satisfies string;
  for await (const row of saferoute.checkAll(new Set(['a']), { settled: true, ordered: false })) {
    row satisfies SettledRow;
    if (row.status === 'fulfilled') row.verdict satisfies Verdict;
    // @ts-expect-error: a row that failed has no verdict
    else row.verdict;
  }
  // @ts-expect-error: an id is a string
  saferoute.checkAll([{ prompt: 'a', id: 5 }]);
  for await (const stage of saferoute.stages('a')) {
    stage satisfies Stage;
    if (stage.stage === 'large') stage.verdict satisfies Verdict;
    // @ts-expect-error: the first stage may have no verdict yet
    else stage.verdict.label;
  }
}

export async function guards(saferoute: SafeRoute): Promise<void> {
  await using guard = await Guard.load('dir', {
    guard: { verdict: { safe: 'yes', unsafe: [1, 2] }, append: { ids: [271] } },
  });
  const { feature }: Reading = await guard.read(new Int32Array(1), { feature: true });
  if (feature) (await saferoute.route(feature)) satisfies number;
  await saferoute.small.read([1, 2], { deadline: 5 });
  await saferoute.small.score('a', { priority: 'bulk' });
  guard.stats() satisfies Stats;
  saferoute.small.precision satisfies Precision;
  saferoute.small.device satisfies 'cpu' | 'cuda';
  // @ts-expect-error: a guard of a pair is closed with the pair
  await saferoute.small.close();
  // @ts-expect-error: ids are numbers
  await guard.read(['a']);
  const error: Error = new AbortError('reason');
  if (error instanceof SafeRouteError && error.code === 'ERR_CLOSED') error.message satisfies string;
  // @ts-expect-error: no such code
  if (error instanceof SafeRouteError && error.code === 'ERR_NONE') error;
}
