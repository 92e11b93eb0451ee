/** `npm start`: the embedded pair reads the example messages, one after the other, and a table shows what it made of them. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SafeRoute } from '../index.js';
import type { Input, Verdict } from '../verdict.js';
import { report } from './exit.js';
import { packageVersion } from './package-version.js';
import { type Cell, type Column, tableHead, tableRow } from './table.js';
import { Tally } from './tally.js';
import { type Paint, painter } from './terminal.js';

const kExamples = join(__dirname, '..', '..', 'models', 'tiny', 'examples.jsonl');
const kWidthWithoutTerminal = 120;

type Example = Exclude<Input, string | unknown[]> & { id: string };

async function start(): Promise<void> {
  const examples = readExamples();
  const columns = layout(examples, process.stdout.columns ?? kWidthWithoutTerminal);
  const paint = painter(process.stdout);
  const print = (line: string) => process.stdout.write(`${line}\n`);

  const saferoute = await SafeRoute.load();
  try {
    print(paint('bold', `SafeRoute ${packageVersion()}, the embedded pair on ${examples.length} example messages`));
    print('');
    const [titles = '', rules = ''] = tableHead(columns);
    print(paint('bold', titles));
    print(paint('dim', rules));
    const tally = new Tally(saferoute.unsafeAt);
    for (const { id, ...input } of examples) {
      const verdict = await saferoute.check(input as Input);
      tally.addVerdict(verdict);
      print(tableRow(columns, cells(id, input as Input, verdict, paint)));
    }
    print('');
    print(tally.summary());
    print(
      paint(
        'dim',
        'The embedded guards are a demonstration, too small to rely on: models/tiny/README.md says how good they are.',
      ),
    );
  } finally {
    await saferoute.close();
  }
}

function readExamples(): Example[] {
  const lines = readFileSync(kExamples, 'utf8').split('\n');
  return lines.filter((line) => line.trim() !== '').map((line) => JSON.parse(line));
}

/** The message takes what the other columns leave of the terminal. */
function layout(examples: Example[], terminal: number): Column[] {
  const columns: Column[] = [
    { title: 'id', width: Math.max(...examples.map(({ id }) => id.length)), align: 'left' },
    { title: 'verdict', width: 7, align: 'left' },
    { title: 'score', width: 5, align: 'right' },
    { title: 'route', width: 5, align: 'left' },
    { title: 'hardness', width: 8, align: 'right' },
    { title: 'ms', width: 6, align: 'right' },
  ];
  const taken = columns.reduce((sum, { width }) => sum + width + 2, 0);
  return [...columns, { title: 'message', width: Math.max(terminal - taken, 20), align: 'left' }];
}

function cells(id: string, input: Input, verdict: Verdict, paint: Paint): Cell[] {
  const { label, score, route, hardness, timing } = verdict;
  return [
    id,
    { text: label, paint: (text) => paint(label === 'unsafe' ? 'red' : 'green', text) },
    score.toFixed(3),
    { text: route, paint: (text) => (route === 'large' ? paint('yellow', text) : text) },
    hardness?.toFixed(3) ?? '',
    timing.total_ms.toFixed(1),
    { text: lastMessage(input), paint: (text) => paint('dim', text) },
  ];
}

/** The text that the guard was asked to judge. */
function lastMessage(input: Input): string {
  if (typeof input === 'string') return input;
  if (Array.isArray(input)) return input.at(-1)?.content ?? '';
  if ('messages' in input) return lastMessage(input.messages);
  return input.response === undefined ? input.prompt : `→ ${input.response}`;
}

start().catch((error) => {
  process.exitCode = report(error);
});
