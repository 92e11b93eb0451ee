// What people are told to type: the commands, settings and links of the README and the guides are ones that there are.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { openPair } from '../../lib/checkpoint/index.js';
import { parseCalibrateArguments } from '../../lib/cli/calibrate-arguments.js';
import { parseCheckArguments } from '../../lib/cli/check-arguments.js';
import { parseEvaluateArguments } from '../../lib/cli/evaluate-arguments.js';
import { parseLabelArguments } from '../../lib/cli/label-arguments.js';
import { parseReportArguments } from '../../lib/cli/report-arguments.js';
import { parseTrainArguments } from '../../lib/cli/train-arguments.js';
import { scratchFolder } from './checkpoint/scratch.js';

const kRoot = resolve(__dirname, '../..');
const kGuides = ['README.md', 'CONTRIBUTING.md', 'docs/routers.md', 'models/tiny/README.md', 'models/recipe/README.md'];

/** `inspect` and `doctor` take a path, or nothing. */
const kCommands: Record<string, (argv: string[]) => unknown> = {
  calibrate: parseCalibrateArguments,
  check: parseCheckArguments,
  evaluate: parseEvaluateArguments,
  label: parseLabelArguments,
  report: parseReportArguments,
  train: parseTrainArguments,
  inspect: (argv) => assert.equal(argv.length, 1),
  doctor: (argv) => assert.equal(argv.length, 0),
};

const textOf = (guide: string) => readFileSync(join(kRoot, guide), 'utf8');

/** Of a line `npx saferoute COMMAND …`, what comes after `saferoute`, without redirections and remarks. */
function commandsOf(guide: string): string[][] {
  const lines = textOf(guide).matchAll(/^ {4}.*\bnpx saferoute (.*)$/gm);
  return Array.from(lines, ([, line = '']) => line.replace(/ [>#] .*$/, '').match(/\S+/g) ?? []);
}

/** Whole saferoute.json files. */
function pairsOf(guide: string): string[] {
  return Array.from(textOf(guide).matchAll(/^```json\n(\{\n {2}"small".*?)^```/gms), ([, json = '']) => json);
}

/** To files of this checkout. */
function linksOf(guide: string): Set<string> {
  const targets = Array.from(textOf(guide).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g), ([, target = '']) => target);
  return new Set(targets.filter((target) => !/^https?:/.test(target)));
}

for (const guide of kGuides) {
  describe(guide, () => {
    for (const [name = '', ...argv] of commandsOf(guide)) {
      it(`has a command that is understood: ${[name, ...argv].join(' ')}`, () => {
        const parse = kCommands[name] ?? assert.fail(`no command ${name}`);
        parse(argv);
      });
    }

    for (const [place, json] of pairsOf(guide).entries()) {
      it(`describes a pair that is understood: ${place}`, async (context) => {
        const file = join(scratchFolder(context), 'saferoute.json');
        writeFileSync(file, json);
        assert.equal((await openPair(file)).escalation?.kind, 'router');
      });
    }

    for (const target of linksOf(guide)) {
      it(`links to a file that there is: ${target}`, () => assert.ok(existsSync(join(kRoot, dirname(guide), target))));
    }
  });
}

describe('the guides', () => {
  it('name every command, and say how a pair is described', () => {
    const named = new Set(kGuides.flatMap((guide) => commandsOf(guide).map(([name]) => name)));
    assert.deepEqual([...named].sort(), Object.keys(kCommands).sort());
    assert.deepEqual(
      kGuides.filter((guide) => pairsOf(guide).length > 0),
      ['README.md', 'docs/routers.md'],
    );
    assert.ok(linksOf('README.md').size > 0);
  });
});
