// What a precision changes in the verdicts of a pair: every labelled set of a folder is read in it and in f32 on the CPU, by both guards and by the pair.
// `node --import tsx bench/precision.mts DATA [PAIR] [--device cpu|cuda] [--precision int8|bf16|fp8]`: DATA holds JSON lines
// `{ prompt, response?, label }` in any depth below a folder `eval`; without PAIR, the embedded one; without a precision, the device's default.
// Prints tables and, on the last line, the result as JSON. Exit code 1 where more verdicts turn over than may.
import { parseArgs } from 'node:util';
import { type PairOptions, SafeRoute } from '../dist/index.mjs';
import { compareScores, kJudges, type Scores, type SetScores, type Summary, summarise } from './flips.js';
import { isTooLong, type LabelledRow, readSets } from './labelled-sets.mjs';

/** Of the verdicts with a margin, that may turn over. */
const kMostFlips = 0.005;
const kUsage = 'usage: precision.mts DATA [PAIR] [--device cpu|cuda] [--precision int8|bf16|fp8]';
const kDefaults = { cpu: 'int8', cuda: 'bf16' } as const;

type Sets = ReadonlyMap<string, LabelledRow[]>;
type Reader = Required<Pick<PairOptions, 'device' | 'precision'>>;

interface Asked {
  data: string;
  pair: string | undefined;
  reader: Reader;
}

/** The library refuses a device or a precision that it does not know, or that are not of each other. */
function parse(argv: string[]): Asked {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: { device: { type: 'string', default: 'cpu' }, precision: { type: 'string' } },
  });
  const [data, pair, ...rest] = positionals;
  if (data === undefined || rest.length > 0) throw new TypeError(kUsage);
  const device = values.device as 'cpu' | 'cuda';
  const precision = (values.precision ?? kDefaults[device]) as Reader['precision'];
  return { data, pair, reader: { device, precision } };
}

async function thresholdOf(pair: string | undefined): Promise<number> {
  await using saferoute = await SafeRoute.load(pair);
  return saferoute.escalation.kind === 'router' ? saferoute.escalation.threshold : 0.5;
}

/** Every set's rows; null where the other turns leave the judged message no room in the context. */
async function scoreAll(pair: string | undefined, reader: Reader, sets: Sets): Promise<Map<string, SetScores>> {
  const threshold = await thresholdOf(pair);
  await using everything = await SafeRoute.load(pair, {
    ...reader,
    escalation: { kind: 'always' },
    overlong: 'truncate',
  });
  const scores = new Map<string, SetScores>();
  for (const [set, rows] of sets) {
    const found: (Scores | null)[] = [];
    const settled = everything.checkAll(
      rows.map(({ input }) => input),
      { settled: true },
    );
    for await (const row of settled) {
      if (row.status === 'rejected' && !isTooLong(row.error)) throw row.error;
      if (row.status === 'rejected') {
        found.push(null);
        continue;
      }
      const { verdict } = row;
      const [small, large] = [verdict.small.score, verdict.large?.score ?? verdict.small.score];
      found.push({ small, large, routed: (verdict.hardness ?? 0) > threshold ? large : small });
    }
    scores.set(set, found);
    process.stderr.write(`${reader.device}, ${reader.precision}: ${set}, ${rows.length} rows\n`);
  }
  return scores;
}

function summaryRow({ judge, rows, clearFlipShare, meanF1 }: Summary, precision: string) {
  return {
    judge,
    rows,
    'flips with a margin, %': (100 * clearFlipShare).toFixed(3),
    'at most, %': (100 * kMostFlips).toFixed(3),
    'mean F1 f32': meanF1?.reference.toFixed(4) ?? '',
    [`mean F1 ${precision}`]: meanF1?.measured.toFixed(4) ?? '',
  };
}

const { data, pair, reader } = parse(process.argv.slice(2));
const sets = readSets(data);
// First, so that a device that is not there is known at once.
const measured = await scoreAll(pair, reader, sets);
const reference = await scoreAll(pair, { device: 'cpu', precision: 'f32' }, sets);
const comparisons = [...sets].flatMap(([set, rows]) =>
  kJudges.map((judge) =>
    compareScores(
      { set, judge },
      rows.map(({ label }) => label),
      { reference: reference.get(set) ?? [], measured: measured.get(set) ?? [] },
    ),
  ),
);
console.table(
  comparisons.map(({ clearFlips, f1, ...rest }) => ({
    ...rest,
    'flips with a margin': clearFlips,
    'F1 f32': f1?.reference.toFixed(4) ?? '',
    [`F1 ${reader.precision}`]: f1?.measured.toFixed(4) ?? '',
  })),
);
const summaries = kJudges.map((judge) => summarise(judge, comparisons));
console.table(summaries.map((summary) => summaryRow(summary, reader.precision)));
console.log(JSON.stringify({ ...reader, comparisons, summaries }));
if (summaries.some(({ clearFlipShare }) => clearFlipShare > kMostFlips)) process.exitCode = 1;
