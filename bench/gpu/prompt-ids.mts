// The token ids of labelled sets as a pair's guards read them, for a simulation that has no tokenizer of ours:
// `node --import tsx bench/gpu/prompt-ids.mts DATA [PAIR]` prints a line `{ set, label, small, large }` for each row, ids cut to
// the guards' contexts. Rows that no cut makes fit are left out. DATA as for bench/precision.mts.
import { SafeRoute } from '../../dist/index.mjs';
import { isTooLong, type LabelledRow, readSets } from '../labelled-sets.mjs';

const kRowsAtOnce = 256;

const [data, pair] = process.argv.slice(2);
if (data === undefined) throw new TypeError('usage: prompt-ids.mts DATA [PAIR]');
await using saferoute = await SafeRoute.load(pair, { overlong: 'truncate' });
const { small, large } = saferoute;
if (large === null) throw new TypeError(`${pair} has no large guard`);
const guards = [small, large];

async function encode({ input, label }: LabelledRow, set: string): Promise<string> {
  try {
    const ids = await Promise.all(guards.map((guard) => guard.encode(input)));
    const [ofSmall, ofLarge] = ids.map((each) => Array.from(each));
    return `${JSON.stringify({ set, label, small: ofSmall, large: ofLarge })}\n`;
  } catch (error) {
    if (isTooLong(error)) return '';
    throw error;
  }
}

for (const [set, rows] of readSets(data)) {
  for (let begin = 0; begin < rows.length; begin += kRowsAtOnce) {
    const lines = await Promise.all(rows.slice(begin, begin + kRowsAtOnce).map((row) => encode(row, set)));
    process.stdout.write(lines.join(''));
  }
  process.stderr.write(`${set}: ${rows.length} rows\n`);
}
