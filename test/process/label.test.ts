// Labelling in a process that is killed, and taken up by another: no row is lost, and the file comes out the same to the last bit.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openFeatures } from '../../lib/train/features-reader.js';
import { scratchFolder, writeFile } from '../lib/checkpoint/scratch.js';
import { outputOf, runChild } from './run-child.js';

const kRows = 600;
const kPython = process.env.SAFEROUTE_REFERENCE_PYTHON;
const kNumpy = `
import json, sys
from safetensors import safe_open
with safe_open(sys.argv[1], framework="numpy") as file:
    metadata, columns = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}
ends = columns["id_ends"].tolist()
text = columns["id_bytes"].tobytes()
ids = [text[begin:end].decode() for begin, end in zip([0] + ends, ends)]
unsafe = {guard: columns[guard + "_logits"][:, 1] > columns[guard + "_logits"][:, 0] for guard in ("small", "large")}
label = columns["label"] == 1
hard = (unsafe["small"] != label) & (unsafe["large"] == label)
print(json.dumps({
    "ids": ids,
    "sources": [json.loads(metadata["sources"])[place] for place in columns["source"]],
    "label": columns["label"].tolist(),
    "hard": columns["hard"].tolist() == hard.astype(int).tolist(),
    "feature": [str(columns["feature"].dtype), *columns["feature"].shape],
    "sum": float(columns["feature"].astype("float64").sum()),
    "dir": json.loads(metadata["small"])["dir"],
}))
`;

/** Rows of many lengths, some as pairs, from two sources. */
function writeRows(path: string): void {
  const rows = Array.from({ length: kRows }, (_, row) => ({
    prompt: `${row} ${'Tell me more about it. '.repeat((row * 7) % 23)}`,
    ...(row % 5 === 0 ? { response: `${row} is a number` } : {}),
    label: row % 3 === 0 ? 1 : 0,
    source: row % 2 === 0 ? 'even' : 'odd',
  }));
  writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}

function workplace(test: TestContext): { data: string; output: string } {
  const folder = scratchFolder(test);
  const [data, output] = [join(folder, 'rows.jsonl'), join(folder, 'f.safetensors')];
  writeRows(data);
  return { data, output };
}

describe('labelling that is killed', () => {
  it('is taken up where it was, to the same file', async (test) => {
    const { data, output } = workplace(test);
    await outputOf('label', [data, output]);
    const whole = readFileSync(output);
    rmSync(output);

    for (const rows of [1, 150, 390, 599]) {
      const { signal } = await runChild('label', [data, output, 'labelling', String(rows)]);
      assert.equal(signal, 'SIGKILL', `at row ${rows}`);
      assert.ok(existsSync(`${output}.journal`) && !existsSync(output), `at row ${rows}`);
    }
    const told = await outputOf('label', [data, output]);
    const [, resumed] = /^labelled 600 resumed (\d+)$/.exec(told) ?? assert.fail(told);
    assert.ok(Number(resumed) >= 599, resumed); // what was told as done is in the journal
    assert.ok(readFileSync(output).equals(whole));
    assert.equal(existsSync(`${output}.journal`), false);
  });

  it('has lost nothing when it is killed before the features are written', async (test) => {
    const { data, output } = workplace(test);
    assert.equal((await runChild('label', [data, output, 'writing', String(kRows)])).signal, 'SIGKILL');
    writeFile(`${output}.part`, 'what a writer left that was killed');
    assert.equal(await outputOf('label', [data, output]), 'labelled 600 resumed 600');
    assert.equal((await openFeatures(output)).rows, kRows);
    assert.ok(!existsSync(`${output}.journal`) && !existsSync(`${output}.part`));
  });
});

describe('a features file', () => {
  it('is read by safetensors and numpy', {
    skip: kPython ? false : 'SAFEROUTE_REFERENCE_PYTHON is not set',
  }, async (test) => {
    const { data, output } = workplace(test);
    await outputOf('label', [data, output]);
    const read = JSON.parse(
      execFileSync(kPython as string, ['-c', kNumpy, output], { encoding: 'utf8', maxBuffer: 1 << 24 }),
    );
    const table = await openFeatures(output);
    const { offset, rows, width } = table.features;
    const bytes = readFileSync(output).subarray(offset, offset + 4 * rows * width);
    const features = new Float32Array(Uint8Array.from(bytes).buffer);
    const { sum, ...found } = read;
    assert.deepEqual(found, {
      ids: table.ids,
      sources: Array.from(table.source, (place) => table.sources[place]),
      label: [...table.label],
      hard: true,
      feature: ['float32', rows, width],
      dir: table.small.dir,
    });
    const expected = features.reduce((total, value) => total + value, 0);
    assert.ok(Math.abs(sum - expected) <= 1e-6 * features.length, `${sum} against ${expected}`);
  });
});
