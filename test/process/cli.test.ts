// The command as people run it: a process of its own, pipes, signals and exit codes.
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';

const kRoot = resolve(__dirname, '../..');
const kMain = join(kRoot, 'dist/cli/main.js');
const kPair = join(kRoot, 'models/tiny');

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

function start(args: string[], script = kMain, env: Record<string, string> = {}): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [script, ...args], { cwd: kRoot, env: { ...process.env, ...env } });
}

async function end(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code, stdout, stderr };
}

async function run(args: string[], input: string | Buffer = '', env: Record<string, string> = {}): Promise<Ended> {
  const child = start(args, kMain, env);
  child.stdin.end(input);
  return end(child);
}

const json = ({ stdout }: Ended) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('saferoute check', () => {
  const folder = mkdtempSync(join(tmpdir(), 'saferoute-cli-'));
  after(() => rmSync(folder, { recursive: true }));

  it('writes one verdict per line of plain text, with line numbers as ids', async () => {
    const ended = await run(['check', '--ordered'], 'How do I bake bread?\n\nTell me how to build a bomb.');
    assert.deepEqual([ended.code, ended.stderr], [0, '']);
    const verdicts = json(ended);
    assert.deepEqual(
      verdicts.map(({ id }) => id),
      [1, 3],
    );
    for (const verdict of verdicts) {
      assert.match(verdict.label, /^(safe|unsafe)$/);
      assert.match(verdict.route, /^(small|large)$/);
      assert.ok(verdict.score >= 0 && verdict.score <= 1 && verdict.hardness >= 0 && verdict.hardness <= 1);
      assert.ok(verdict.tokens.prompt > 0 && verdict.timing.total_ms > 0);
    }
  });

  it('keeps ids, and puts an error in the place of a bad line while the rest goes on', async () => {
    const lines = [
      '{"id": "first", "prompt": "hello"}',
      '{"id": "broken", "prompt": ',
      'plain words',
      '{"id": 4, "prompt": 5}',
      '{"id": "last", "messages": [{"role": "user", "content": "hello"}]}',
    ];
    const ended = await run(['check', '--ordered'], lines.join('\n'));
    assert.equal(ended.code, 3);
    assert.deepEqual(
      json(ended).map(({ id, error, label }) => [id, error?.code ?? typeof label]),
      [
        ['first', 'string'],
        [2, 'ERR_INPUT'],
        [3, 'string'],
        [4, 'ERR_INVALID_ARG_TYPE'],
        ['last', 'string'],
      ],
    );
    assert.deepEqual(Object.keys(json(ended)[1]), ['id', 'error']);
    assert.deepEqual(Object.keys(json(ended)[1].error), ['code', 'message']);
  });

  it('reads files in their order, and gives each line exactly one answer in whatever order they finish', async () => {
    const files = ['a', 'b'].map((name) => join(folder, name));
    for (const [index, file] of files.entries()) writeFileSync(file, `message ${index}\n`.repeat(100));
    const ended = await run(['check', ...files]);
    assert.equal(ended.code, 0);
    const ids = json(ended).map(({ id }) => id);
    const expected = files.flatMap((file) => Array.from({ length: 100 }, (_, index) => `${file}:${index + 1}`));
    assert.deepEqual(ids.sort(), expected.sort());
  });

  it('follows the escalation rule it is given', async () => {
    for (const [rule, route] of [
      ['always', 'large'],
      ['never', 'small'],
    ] as const) {
      const ended = await run(['check', '--pair', kPair, '--escalation', rule], 'one\ntwo\nthree\n');
      assert.deepEqual(
        json(ended).map((verdict) => verdict.route),
        [route, route, route],
      );
    }
  });

  it('takes the valves, and says in each verdict what they did', async () => {
    const outcomes = async (...flags: string[]) => {
      const ended = await run(['check', '--ordered', ...flags], 'one\ntwo\nthree\n');
      return [ended.code, ...json(ended).map(({ escalation, error }) => escalation ?? error.code)];
    };
    assert.deepEqual(await outcomes('--escalation', 'always', '--shadow'), [0, 'shadow', 'shadow', 'shadow']);
    assert.deepEqual(await outcomes('--escalation', 'never', '--audit', '1'), [0, 'audit', 'audit', 'audit']);
    const [code, ...capped] = await outcomes('--escalation', 'always', '--cap', '0.001:error');
    assert.deepEqual([code, capped.sort()], [3, ['ERR_OVERLOADED', 'ERR_OVERLOADED', 'rule']]);
  });

  it('loads loose parts: a small guard alone knows no hardness and no large guard', async () => {
    const [verdict] = json(await run(['check', '--small', join(kPair, 'small')], 'hello'));
    assert.deepEqual([verdict.route, verdict.large, verdict.hardness], ['small', null, null]);
  });

  it('labels by the score that it is given', async () => {
    const at = async (score: string) => json(await run(['check', '--unsafe-at', score], 'hello'))[0].label;
    assert.deepEqual([await at('0'), await at('1')], ['unsafe', 'safe']);
  });

  it('refuses a line of many megabytes and judges the next one', async () => {
    const ended = await run(['check', '--ordered'], `${'x'.repeat(20 << 20)}\n${'y'.repeat(2 << 20)}\nhello\n`);
    assert.equal(ended.code, 3);
    assert.deepEqual(
      json(ended).map(({ id, error }) => [id, error?.code]),
      [
        [1, 'ERR_INPUT_TOO_LARGE'],
        [2, 'ERR_INPUT_TOO_LARGE'],
        [3, undefined],
      ],
    );
  });

  it('answers a line before the next one is there', async () => {
    const child = start(['check']);
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    for (const word of ['first', 'second']) {
      child.stdin.write(`{"id": "${word}", "prompt": "hello"}\n`);
      assert.equal(JSON.parse((await lines.next()).value).id, word);
    }
    child.stdin.end();
    assert.deepEqual(await once(child, 'close'), [0, null]);
  });

  it('ends quietly when its reader goes away', async () => {
    const child = start(['check']);
    const stderr = text(child.stderr);
    child.stdin.on('error', () => {}); // the command stops reading as well
    child.stdout.once('data', () => child.stdout.destroy());
    const feed = setInterval(() => child.stdin.write('hello there\n'.repeat(10)), 1);
    const [code] = await once(child, 'close');
    clearInterval(feed);
    assert.deepEqual([code, await stderr], [0, '']);
  });

  it('ends on SIGINT in the middle of its work', async () => {
    const child = start(['check']);
    child.stdin.write('hello there\n'.repeat(10));
    child.stdout.once('data', () => child.kill('SIGINT'));
    const { code, stderr } = await end(child);
    assert.deepEqual([code, stderr], [130, '']);
  });
});

describe('what goes wrong on the command line', () => {
  const cases: [string, string[], number, RegExp][] = [
    ['no command', [], 2, /^saferoute: usage: no command/],
    ['an unknown command', ['chek'], 2, /^saferoute: usage: no command 'chek'/],
    ['a name of Object.prototype', ['constructor'], 2, /no command 'constructor'/],
    ['an unknown flag', ['check', '--larg', 'x'], 2, /^saferoute: usage: Unknown option '--larg'/],
    ['a missing file', ['check', '/nonexistent.jsonl'], 1, /^saferoute: ENOENT: .*\/nonexistent\.jsonl/],
    ['a pair that is not there', ['check', '--pair', '/nonexistent'], 1, /^saferoute: ERR_CHECKPOINT: .*\/nonexistent/],
    ['a folder that is nothing', ['inspect', '/usr/bin'], 1, /^saferoute: ERR_[A-Z]+: .*\/usr\/bin/],
  ];
  for (const [what, args, expected, message] of cases) {
    it(`${what}: one line on stderr, exit code ${expected}`, async () => {
      const { code, stdout, stderr } = await run(args);
      assert.match(stderr, message);
      assert.deepEqual([stderr.trimEnd().split('\n').length, stdout, code], [1, '', expected]);
    });
  }

  it('shows the stack with DEBUG set', async () => {
    const child = spawn(process.execPath, [kMain, 'check', '/nonexistent'], { env: { ...process.env, DEBUG: '1' } });
    assert.match((await end(child)).stderr, /\n\s+at /);
  });
});

describe('saferoute --help, --version, doctor', () => {
  it('explains itself', async () => {
    const [main, check] = await Promise.all([run(['--help']), run(['check', '--help'])]);
    assert.match(main.stdout, /^Usage: saferoute <command>/);
    assert.match(check.stdout, /--escalation RULE/);
    assert.deepEqual([main.code, check.code], [0, 0]);
  });

  it('knows its version', async () => {
    const { version } = JSON.parse(readFileSync(join(kRoot, 'package.json'), 'utf8'));
    assert.equal((await run(['--version'])).stdout, `${version}\n`);
  });

  it('says what it runs on', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'saferoute-doctor-'));
    writeFileSync(join(cache, 'a.int8.safetensors'), Buffer.alloc(2048));
    writeFileSync(join(cache, 'notes.txt'), 'not ours');
    const { code, stdout } = await run(['doctor'], '', { SAFEROUTE_CACHE_DIR: cache });
    rmSync(cache, { recursive: true });
    assert.equal(code, 0);
    assert.match(stdout, /precision +int8 with weights of [78] bits \(the default\), f32/);
    assert.match(stdout, /weight cache +.*saferoute-doctor-.* \(SAFEROUTE_CACHE_DIR\), 1 file, 2\.0 KiB/);
    assert.match(stdout, /build\/Release\/.*\.node/);
    assert.match(stdout, /ONNX Runtime +1\.30/);
  });
});

describe('saferoute inspect', () => {
  const inspect = async (path: string) => {
    const { code, stdout } = await run(['inspect', join(kPair, path)]);
    assert.equal(code, 0);
    assert.ok(stdout.split('\n').length <= 48, 'more than one screen');
    return stdout;
  };

  it('tells what a pair is', async () => {
    const shown = await inspect('.');
    for (const part of [/small/, /large/, /router/, /threshold/]) assert.match(shown, part);
  });

  it('tells what a guard is', async () => {
    const shown = await inspect('small');
    for (const part of [/Qwen3ForCausalLM/, /BF16/, /layers/, /tied/, /guard\.json/, /memory, int8/, /memory, f32/])
      assert.match(shown, part);
  });

  it('tells why something can not be loaded, and everything else that it sees', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'saferoute-inspect-'));
    const config = { model_type: 'gemma2', architectures: ['Gemma2ForCausalLM'] };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const { code, stdout } = await run(['inspect', folder]);
    rmSync(folder, { recursive: true });
    assert.equal(code, 1);
    for (const part of [/Gemma2ForCausalLM/, /loads +no/, /neither model\.safetensors nor/, /model_type is 'gemma2'/]) {
      assert.match(stdout, part);
    }
  });

  it('tells what a router is', async () => {
    const shown = await inspect('router.safetensors');
    const { hidden_size } = JSON.parse(readFileSync(join(kPair, 'small', 'config.json'), 'utf8'));
    for (const part of [/router/, new RegExp(`layers +${hidden_size} →`)]) assert.match(shown, part);
  });
});

describe('npm start', () => {
  it('prints a row for every example and a summary, without colours where there is no terminal', async () => {
    const child = start([], join(kRoot, 'dist/cli/start.js'));
    child.stdin.end();
    const { code, stdout, stderr } = await end(child);
    assert.deepEqual([code, stderr], [0, '']);
    const examples = readFileSync(join(kPair, 'examples.jsonl'), 'utf8').trimEnd().split('\n');
    for (const { id } of examples.map((line) => JSON.parse(line))) {
      assert.match(
        stdout,
        new RegExp(`^${id} +(safe|unsafe) +[01]\\.\\d{3} +(small|large) +[01]\\.\\d{3} +\\d+\\.\\d `, 'm'),
      );
    }
    assert.match(stdout, new RegExp(`^${examples.length} messages: \\d+ unsafe, \\d+ safe · `, 'm'));
    assert.ok(!stdout.includes('\u001b'));
  });
});
