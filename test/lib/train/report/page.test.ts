import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Evaluation, RuleName, SetEvaluation } from '../../../../lib/train/evaluation.js';
import { chartsOf } from '../../../../lib/train/report/charts.js';
import { page } from '../../../../lib/train/report/page.js';
import type { RowTexts } from '../../../../lib/train/report/row-texts.js';
import { kRules } from '../../../../lib/train/report/rules.js';
import { attribute, byId, elements, parsePage, tableOf, textOf } from './parsed-page.js';
import { kHurtDomain, simulatedEvaluation } from './simulated-evaluation.js';

const kWhole = simulatedEvaluation();
const kHtml = page(kWhole, chartsOf(kWhole), null);
const kPage = parsePage(kHtml);
const kHostile = `"><script>alert(1)</script><img src=x onerror='alert(2)'>\u202e\u0000]]>&lt;`;

/** The page of an evaluation, parsed. */
function pageOf(evaluation: Evaluation, texts: RowTexts | null = null) {
  return parsePage(page(evaluation, chartsOf(evaluation), texts));
}

/** Without the space that holds a number and its unit together. */
const plain = (rows: string[][]) => rows.map((row) => row.map((cell) => cell.replaceAll('\u00a0', ' ')));

describe('the page of a report', () => {
  it('has every rule with the evaluation’s own figures, in the mean and in each set', () => {
    const tables: [string, Pick<SetEvaluation, 'rules' | 'area'>][] = [
      ['Every rule, mean over the sets', kWhole.mean],
      ...kWhole.sets.map((set): [string, SetEvaluation] => [`Every rule, ${set.name}`, set]),
    ];
    for (const [caption, { rules, area }] of tables) {
      const [head, ...rows] = plain(tableOf(kPage, caption)) as [string[], ...string[][]];
      assert.equal(rows.length, Object.keys(kRules).length, caption);
      for (const [name, figures] of Object.entries(rules)) {
        const row = rows.find(
          ([first]) => first?.replace(' in force', '') === kRules[name as RuleName].name,
        ) as string[];
        const cell = (title: string) => row[head.indexOf(title)];
        assert.equal(cell('F1'), figures.f1?.toFixed(3), `${caption}, ${name}`);
        assert.equal(cell('precision'), figures.precision?.toFixed(3));
        assert.equal(cell('recall'), figures.recall?.toFixed(3));
        assert.equal(cell('accuracy'), figures.accuracy.toFixed(3));
        assert.equal(cell('FPR'), figures.fpr?.toFixed(3));
        assert.equal(cell('AUPRC'), figures.auprc?.toFixed(3));
        assert.equal(cell('escalated'), `${(figures.escalated * 100).toFixed(1)} %`);
        assert.equal(cell('routing F1'), figures.routing_f1?.toFixed(3) ?? '–');
        assert.equal(cell('area'), area[name as RuleName]?.toFixed(3) ?? '–');
        for (const [title, value] of [
          ['GFLOP / row', (figures.flop_per_row as number) / 1e9],
          ['ms / row', figures.ms_per_row as number],
        ] as const) {
          const shown = Number(cell(title)?.replace(',', ''));
          assert.ok(Math.abs(shown - value) <= value * 0.005, `${title}: ${shown} for ${value}`);
        }
      }
    }
  });

  it('has the counts of every rule in every set, and the bounds', () => {
    for (const { name, rules, bounds } of kWhole.sets) {
      const rows = plain(tableOf(kPage, `Every rule, ${name}`));
      const counts = rules.router?.confusion;
      assert.ok(counts);
      const shown = rows.find(([first]) => first?.startsWith('router'))?.slice(-4);
      assert.deepEqual(
        shown,
        [counts.tp, counts.fp, counts.tn, counts.fn].map((count) => count.toLocaleString('en-US')),
      );
      const table = plain(tableOf(kPage, 'Risk bounds'));
      for (const { loss, bound, adaptive } of bounds) {
        const row = table.find(([set, , kind]) => set === name && kind === loss) as string[];
        assert.deepEqual([row[3], row[7]], [adaptive.toFixed(3), bound.toFixed(3)]);
      }
    }
  });

  it('marks the best of a column, and never the oracle', () => {
    const table = elements(kPage, 'table').find((one) => textOf(one).startsWith('Every rule, mean')) as never;
    const best = elements(table, 'tr').flatMap((row) =>
      elements(row, 'strong').map((cell) => [textOf(elements(row, 'th')[0] as never), textOf(cell)]),
    );
    const f1 = Math.max(
      ...Object.entries(kWhole.mean.rules).map(([name, { f1 }]) => (name === 'oracle' ? 0 : (f1 ?? 0))),
    );
    assert.ok(best.some(([, value]) => value === f1.toFixed(3)));
    assert.ok(!best.some(([rule]) => rule === 'oracle'));
  });

  it('names the domain that is hurt, in words, at the top and with advice', () => {
    assert.match(textOf(elements(kPage, 'main')[0] as never), /▼ Escalation hurts in 1 domain: “harm-native”/);
    const rows = plain(tableOf(kPage, 'Domains'));
    assert.deepEqual([rows[1]?.[0], rows[1]?.at(-1)], [kHurtDomain, '▼ hurts']);
    assert.match(textOf(byId(kPage, 'domains').parentNode as never), /Switch escalation off where it hurts/);
  });

  it('loads nothing, links only within itself, and allows only its own style and script', () => {
    const linking = elements(kPage).flatMap((element) =>
      ['src', 'href', 'xlink:href', 'action', 'srcset', 'data'].map((name) => attribute(element, name)),
    );
    for (const target of linking.filter((one) => one !== null)) {
      assert.match(target, /^#/);
      byId(kPage, target.slice(1));
    }
    assert.doesNotMatch(kHtml, /https?:|url\(|@import/);
    const policy = elements(kPage, 'meta').find((one) => attribute(one, 'http-equiv') !== null) as never;
    assert.match(
      attribute(policy, 'content') ?? '',
      /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'$/,
    );
    assert.ok(
      !elements(kPage).some((element) => element.attrs.some(({ name }) => name === 'style' || name.startsWith('on'))),
    );
  });

  it('can be read without seeing it: landmarks, headings in order, table heads, charts with title and description', () => {
    for (const name of ['header', 'main', 'nav', 'footer', 'h1']) assert.equal(elements(kPage, name).length, 1, name);
    const levels = elements(kPage).flatMap(({ tagName }) => (/^h[1-6]$/.test(tagName) ? [Number(tagName[1])] : []));
    levels.reduce((above, level) => {
      assert.ok(level <= above + 1, `h${level} after h${above}`);
      return level;
    });
    for (const table of elements(kPage, 'table')) {
      assert.equal(elements(table, 'caption').length, 1);
      for (const head of elements(table, 'th')) assert.match(attribute(head, 'scope') ?? '', /^(row|col)$/);
    }
    const charts = elements(kPage, 'svg').filter((svg) => attribute(svg, 'aria-hidden') === null);
    assert.ok(charts.length > 20);
    for (const chart of charts) {
      assert.equal(attribute(chart, 'role'), 'img');
      for (const id of attribute(chart, 'aria-labelledby')?.split(' ') ?? [])
        assert.notEqual(textOf(byId(kPage, id)), '');
    }
    const ids = elements(kPage).flatMap((element) => attribute(element, 'id') ?? []);
    assert.equal(new Set(ids).size, ids.length);
  });

  it('takes names of sets, domains, rows, files and guards for text, whatever they hold', () => {
    const hostile = simulatedEvaluation([{ name: kHostile, rows: 400, unsafe: 0.4, domains: [kHostile, 'other'] }]);
    hostile.notes = [kHostile];
    hostile.pair = { ...hostile.pair, small: kHostile, escalation: { kind: kHostile } };
    hostile.machine.cpu = kHostile;
    for (const set of hostile.sets) {
      for (const row of set.boundary) row.id = kHostile;
      for (const histogram of [...set.scores.small, ...(set.hardness ?? [])]) histogram.name = kHostile;
    }
    const texts = { paths: [kHostile], byId: new Map([[kHostile, kHostile]]) };
    const parsed = pageOf(hostile, texts);
    assert.equal(elements(parsed, 'script').length, 1);
    assert.equal(elements(parsed, 'img').length, 0);
    const text = textOf(parsed);
    assert.ok(text.includes(`"><script>alert(1)</script>`));
    assert.ok(text.includes('\\u{202e}\\u{0}]]>&lt;') && !text.includes('\u202e'));
  });

  it('shows – for what is not defined, and says why there is no mean', () => {
    const oneClass = simulatedEvaluation([{ name: 'all safe', rows: 120, unsafe: 0, domains: ['one'] }]);
    for (const figures of Object.values(oneClass.sets[0]?.rules ?? {}))
      Object.assign(figures, { ms_per_row: null, flop_per_row: null });
    Object.assign(oneClass, { latency_ms: null });
    Object.assign(oneClass.sets[0] as SetEvaluation, { hardness: null, latency_ms: null, boundary: [], bounds: [] });
    const parsed = pageOf(oneClass);
    const row = plain(tableOf(parsed, 'Every rule, all safe')).find(([name]) => name === 'small alone') as string[];
    const head = tableOf(parsed, 'Every rule, all safe')[0] as string[];
    for (const title of ['recall', 'AUPRC', 'ms / row', 'MFLOP / row'])
      assert.equal(row[head.indexOf(title)], '–', title);
    const text = textOf(parsed);
    assert.match(text, /No set holds both safe and unsafe rows/);
    assert.match(text, /cannot be told from these figures/);
    assert.doesNotMatch(text, /NaN|undefined|Infinity|null/);
  });

  it('holds no text of a row by default, and by choice those that the file has', () => {
    const [first, second] = kWhole.sets[0]?.boundary ?? [];
    assert.ok(first && second);
    const text = 'user: <b>how</b> do I …?';
    const parsed = pageOf(kWhole, { paths: ['rows.jsonl'], byId: new Map([[first.id, text]]) });
    const table = tableOf(parsed, `Rows at the boundary, ${kWhole.sets[0]?.name}`);
    assert.deepEqual([table[1]?.at(-1), table[2]?.at(-1)], [text, '–']);
    assert.equal(tableOf(kPage, `Rows at the boundary, ${kWhole.sets[0]?.name}`)[0]?.includes('text'), false);
  });

  it('stays small: under 100 KiB for each set', () => {
    assert.ok(kHtml.length < kWhole.sets.length * 100 * 1024, `${kHtml.length} characters`);
  });
});
