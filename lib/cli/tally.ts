/** Counts what a run of checks came to, for the progress line and the summary. */

import type { EscalationOutcome, Verdict } from '../verdict.js';
import { Latencies } from './latencies.js';
import { grouped, percent } from './terminal.js';

export class Tally {
  verdicts = 0;
  unsafe = 0;
  escalated = 0;
  failed = 0;
  readonly #unsafeAt: number;
  readonly #outcomes = new Map<EscalationOutcome, number>();
  #missed = 0;
  #computedTokens = 0;
  #cachedTokens = 0;
  readonly #latencies = new Latencies();
  readonly #startMs = performance.now();

  /** A score above `unsafeAt` is unsafe. */
  constructor(unsafeAt = 0.5) {
    this.#unsafeAt = unsafeAt;
  }

  addVerdict(verdict: Omit<Verdict, 'id'>): void {
    const { escalation, small, large } = verdict;
    this.verdicts += 1;
    if (verdict.label === 'unsafe') this.unsafe += 1;
    if (large !== null) this.escalated += 1;
    this.#outcomes.set(escalation, this.#count(escalation) + 1);
    if (escalation === 'audit' && small.score <= this.#unsafeAt && (large?.score ?? 0) > this.#unsafeAt)
      this.#missed += 1;
    this.#computedTokens += verdict.tokens.computed;
    this.#cachedTokens += verdict.tokens.cached;
    this.#latencies.add(verdict.timing.total_ms);
  }

  addFailure(): void {
    this.failed += 1;
  }

  /**
   * "24 messages: 10 unsafe, 14 safe · 6 to the large guard (25.0 %) · 80.1 % of tokens cached · p50 3.0 ms, p95 9.7 ms, p99 9.9 ms · 0.4 s";
   * after the large guard's share, what valves there were did. `alarms`: how often the alarm rang.
   */
  summary(alarms = 0): string {
    const failed = this.failed > 0 ? `, ${grouped(this.failed)} failed` : '';
    const counts = `${grouped(this.unsafe)} unsafe, ${grouped(this.verdicts - this.unsafe)} safe${failed}`;
    const parts = [`${grouped(this.verdicts + this.failed)} messages: ${counts}`];
    if (this.verdicts > 0) {
      parts.push(`${grouped(this.escalated)} to the large guard (${shareOf(this.escalated, this.verdicts)})`);
      parts.push(...this.#valves(alarms));
      parts.push(`${shareOf(this.#cachedTokens, this.#cachedTokens + this.#computedTokens)} of tokens cached`);
      parts.push(`p50 ${this.#milliseconds(0.5)}, p95 ${this.#milliseconds(0.95)}, p99 ${this.#milliseconds(0.99)}`);
    }
    parts.push(`${(this.#elapsedMs() / 1000).toFixed(1)} s`);
    return parts.join(' · ');
  }

  #valves(alarms: number): string[] {
    const [audits, capped, shadow] = [this.#count('audit'), this.#count('capped'), this.#count('shadow')];
    return [
      ...(audits > 0 ? [`${grouped(audits)} audited, ${grouped(this.#missed)} missed`] : []),
      ...(capped > 0 ? [`${grouped(capped)} over the cap`] : []),
      ...(shadow > 0 ? [`${grouped(shadow)} in the shadow (${shareOf(shadow, this.verdicts)})`] : []),
      ...(alarms > 0 ? [`the alarm rang ${alarms === 1 ? 'once' : `${grouped(alarms)} times`}`] : []),
    ];
  }

  #count(outcome: EscalationOutcome): number {
    return this.#outcomes.get(outcome) ?? 0;
  }

  progress(): string {
    const done = this.verdicts + this.failed;
    const perSecond = (done / (this.#elapsedMs() / 1000)).toFixed(1);
    return `${grouped(done)} checked · ${shareOf(this.escalated, this.verdicts)} escalated · ${perSecond}/s`;
  }

  #milliseconds(p: number): string {
    return `${this.#latencies.percentile(p).toFixed(1)} ms`;
  }

  #elapsedMs(): number {
    return performance.now() - this.#startMs;
  }
}

/** Of nothing, nothing. */
function shareOf(part: number, whole: number): string {
  return percent(part / Math.max(whole, 1));
}
