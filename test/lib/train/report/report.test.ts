import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { SaxesParser } from 'saxes';
import type { Evaluation } from '../../../../lib/train/evaluation.js';
import { report } from '../../../../lib/train/report/report.js';
import { scratchFile, scratchFolder } from '../../checkpoint/scratch.js';
import { coded } from '../../rejected.js';
import { simulatedEvaluation } from './simulated-evaluation.js';

const kWhole = simulatedEvaluation();

/** The message of what reading `content` as an evaluation throws. */
function refused(test: TestContext, content: string | Uint8Array, ...named: (string | RegExp)[]) {
  const output = join(scratchFolder(test), 'report.html');
  const path = scratchFile(test, 'evaluation.json', content);
  return assert.rejects(report(path, { output }), coded('ERR_DATA', 'evaluation.json', ...named));
}

/** The whole evaluation with one place changed, as JSON. */
function changed(change: (evaluation: Evaluation) => void): string {
  const copy = structuredClone(kWhole);
  change(copy);
  return JSON.stringify(copy);
}

describe('report', () => {
  it('writes the page, and the same from the file as from the object', async (test) => {
    const folder = scratchFolder(test);
    const [first, second] = [join(folder, 'first.html'), join(folder, 'second.html')];
    const summary = await report(scratchFile(test, 'evaluation.json', JSON.stringify(kWhole)), { output: first });
    await report(kWhole, { output: second });
    const html = readFileSync(first, 'utf8');
    assert.equal(html, readFileSync(second, 'utf8'));
    assert.deepEqual(summary, {
      path: first,
      bytes: Buffer.byteLength(html),
      charts: [],
      boundary: { rows: 80, texts: 0 },
    });
    assert.deepEqual(readdirSync(folder).sort(), ['first.html', 'second.html']);
  });

  it('writes every chart as a well-formed SVG with title and description, under names that are files', async (test) => {
    const folder = join(scratchFolder(test), 'charts');
    const hostile = structuredClone(kWhole);
    for (const set of hostile.sets) set.name = '../../<script>"\u0007&';
    const { charts } = await report(hostile, { output: join(folder, '..', 'report.html'), svg: folder });
    assert.equal(charts.length, 2 + 4 * 6 + 1);
    assert.deepEqual(
      readdirSync(folder)
        .map((name) => join(folder, name))
        .sort(),
      [...charts].sort(),
    );
    for (const path of charts) {
      const seen: string[] = [];
      const parser = new SaxesParser({ xmlns: true });
      parser.on('error', (error) => assert.fail(`${path}: ${error.message}`));
      parser.on('opentag', ({ name, uri }) => {
        assert.equal(uri, 'http://www.w3.org/2000/svg');
        seen.push(name);
      });
      parser.write(readFileSync(path, 'utf8')).close();
      assert.ok(seen.includes('title') && seen.includes('desc') && !seen.includes('script'), path);
    }
  });

  it('draws a rule’s curve and mark where its figures are', async (test) => {
    const folder = scratchFolder(test);
    await report(kWhole, { output: join(folder, 'report.html'), svg: folder });
    const svg = readFileSync(join(folder, 'f1-escalation-mean.svg'), 'utf8');
    const { f1, escalated } = kWhole.mean.rules.router as { f1: number; escalated: number };
    assert.ok(svg.includes(`router: F1 ${f1.toFixed(3)} at ${(escalated * 100).toFixed(1)}\u00a0%`));
    const lines = [...svg.matchAll(/<path d="M[\d. L]+"/g)];
    assert.equal(lines.length, Object.keys(kWhole.mean.curves).length);
  });

  it('shows texts from the labelled rows, also of rows that go by their place, and stops where it has them all', async (test) => {
    const evaluation = structuredClone(kWhole);
    const rows = [
      { id: 'first', prompt: 'one <i>', label: 1 },
      { id: 17, messages: [{ role: 'user', content: 'two' }], label: 'safe' },
      { prompt: 'x'.repeat(5000), response: 'never shown', label: 0 },
    ];
    const texts = scratchFile(test, 'rows.jsonl', `${rows.map((row) => JSON.stringify(row)).join('\n')}\nno JSON`);
    const wanted = ['first', '17', `${texts}:3`];
    evaluation.sets = evaluation.sets.slice(0, 1);
    const boundary = evaluation.sets[0]?.boundary ?? [];
    boundary.length = 3;
    for (const [index, row] of boundary.entries()) row.id = wanted[index] as string;
    const output = join(scratchFolder(test), 'report.html');
    const summary = await report(evaluation, { output, texts });
    assert.deepEqual(summary.boundary, { rows: 3, texts: 3 });
    const html = readFileSync(output, 'utf8');
    assert.ok(html.includes('user: one &lt;i&gt;') && html.includes('user: two'));
    assert.ok(html.includes(`user: ${'x'.repeat(994)} …`) && !html.includes('never shown'));
    const other = scratchFile(test, 'other.jsonl', JSON.stringify({ id: 'elsewhere', prompt: 'three', label: 1 }));
    (boundary[1] as { id: string }).id = 'elsewhere';
    const both = await report(evaluation, { output, texts: [other, texts] });
    assert.deepEqual(both.boundary, { rows: 3, texts: 3 });
    await assert.rejects(
      report(evaluation, { output, texts: [texts, ''] }),
      coded('ERR_OUT_OF_RANGE', 'options.texts[1] must be a path'),
    );
    (boundary[0] as { id: string }).id = 'not there';
    await assert.rejects(report(evaluation, { output, texts }), coded('ERR_DATA', `${texts}:4`, 'not JSON'));
  });

  it('refuses what is no evaluation, or one of another version', async (test) => {
    await refused(test, '', 'is not an evaluation: not JSON');
    await refused(test, '{"format": "saferoute-evalu', 'is not an evaluation: not JSON');
    await refused(test, Uint8Array.of(0x7b, 0xff, 0x7d), 'is not an evaluation: not JSON');
    await refused(test, '[]', "its format must be 'saferoute-evaluation/1', got undefined");
    await refused(test, '{"format":"saferoute-features/1"}', "got 'saferoute-features/1'");
    await refused(test, '{"format":"saferoute-evaluation/2"}', 'another version', "got 'saferoute-evaluation/2'");
  });

  it('refuses a damaged one, naming place, value and limit', async (test) => {
    const whole = changed(() => {});
    await refused(test, whole.slice(0, whole.length / 2), 'not JSON');
    const cases: [(evaluation: Evaluation) => void, string][] = [
      [(one) => one.sets.splice(0), 'holds no set'],
      [(one) => Object.assign(one, { created: 'yesterday' }), "created must be a date, got 'yesterday'"],
      [
        (one) => Object.assign(one.sets[1] as object, { rows: -1 }),
        'sets[1].rows must be a whole number of at least 0, got -1',
      ],
      [
        (one) => Object.assign(one.sets[0]?.rules.router as object, { f1: 1.5 }),
        'sets[0].rules.router.f1 must be a number from 0 to 1, got 1.5',
      ],
      [
        (one) => Object.assign(one.mean.rules.large as object, { recall: '1' }),
        "mean.rules.large.recall must be a number from 0 to 1, got '1'",
      ],
      [
        (one) => Object.assign(one.sets[0]?.rules as object, { magic: {} }),
        'sets[0].rules must be keyed by small, large',
      ],
      [
        (one) => Object.assign(one.sets[2]?.domains[1] as object, { escalation: 'maybe' }),
        "sets[2].domains[1].escalation must be one of helps, hurts, unclear, got 'maybe'",
      ],
      [
        (one) => one.sets[0]?.curves.entropy?.push(null as never),
        'sets[0].curves.entropy[101] must be an object, got null',
      ],
      [
        (one) => Object.assign(one.sets[3]?.rules.small?.confusion as object, { tp: 1 }),
        'sets[3].rules.small.confusion must be of 602 rows altogether, got',
      ],
      [
        (one) => Object.assign(one.sets[3] as object, { unsafe: 603 }),
        'sets[3].unsafe must be at most its 602 rows, got 603',
      ],
      [(one) => Object.assign(one, { mean: undefined }), 'mean must be an object, got undefined'],
    ];
    for (const [change, message] of cases) await refused(test, changed(change), message);
  });

  it('refuses an object that JSON could not hold', async (test) => {
    const output = join(scratchFolder(test), 'report.html');
    const copy = structuredClone(kWhole);
    (copy.sets[0] as { hard: number }).hard = Number.NaN;
    await assert.rejects(report(copy, { output }), coded('ERR_DATA', 'evaluation: sets[0].hard', 'got NaN'));
  });

  it('leaves what stood there when it cannot go on', async (test) => {
    const output = scratchFile(test, 'report.html', 'before');
    await assert.rejects(report('/no/such/evaluation.json', { output }), coded('ENOENT'));
    await assert.rejects(report(kWhole, { output, signal: AbortSignal.abort('stop') }), coded('ERR_ABORTED'));
    await assert.rejects(report(kWhole, { output: '' }), coded('ERR_OUT_OF_RANGE', 'options.output'));
    await assert.rejects(report(kWhole, { output, svgs: 'x' } as never), coded('ERR_INVALID_ARG_TYPE', 'svgs'));
    await assert.rejects(report(kWhole, undefined as never), coded('ERR_INVALID_ARG_TYPE', 'options.output'));
    assert.equal(readFileSync(output, 'utf8'), 'before');
  });
});
