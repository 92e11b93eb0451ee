import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { openCheckpoint } from '../../../lib/checkpoint/index.js';
import { kTinyConfig, kTinyShapes, writeGuard, writeShardedGuard } from './guard-writer.js';
import { assertRefused } from './refused.js';
import { type Dtype, zeroSafetensors } from './safetensors-writer.js';
import { kFixtures, scratchFile, scratchFolder, writeFile } from './scratch.js';

const fixture = (name: string): string => join(kFixtures, 'checkpoints', name);

describe('openCheckpoint', () => {
  it('gives the shape and the tensors of checkpoints that transformers wrote', async () => {
    for (const [name, modelType, dtype, count, files] of [
      ['llama-untied-f32', 'llama', 'F32', 3 + 2 * 9, 1],
      ['llama-tied-f16', 'llama', 'F16', 2 + 2 * 9, 1],
      ['qwen3-tied-bf16', 'qwen3', 'BF16', 2 + 2 * 11, 1],
      ['qwen3-untied-bf16-sharded', 'qwen3', 'BF16', 3 + 2 * 11, 5],
    ] as const) {
      const checkpoint = await openCheckpoint(fixture(name));
      assert.equal(checkpoint.modelType, modelType);
      assert.equal(checkpoint.tensors.length, count);
      assert.equal(checkpoint.files.length, files);
      assert.deepEqual([...new Set(checkpoint.tensors.map((tensor) => tensor.dtype))], [dtype]);
      assert.deepEqual(checkpoint.unused, []);
      assert.equal(checkpoint.savedAs, '');
    }
  });

  it('points each tensor of a sharded checkpoint into the shard that has it', async () => {
    const directory = fixture('qwen3-untied-bf16-sharded');
    const { files, tensors, bytes } = await openCheckpoint(directory);
    const index = JSON.parse(readFileSync(join(directory, 'model.safetensors.index.json'), 'utf8'));
    for (const { name, file } of tensors) assert.equal(basename(files[file] as string), index.weight_map[name]);
    assert.equal(bytes, index.metadata.total_size);
  });

  it('makes a relative path absolute', async () => {
    const { directory } = await openCheckpoint(relative(process.cwd(), fixture('llama-tied-f16')));
    assert.equal(directory, fixture('llama-tied-f16'));
  });

  it('passes on only what the decoder needs, whatever the rest is', async (test) => {
    const folder = writeShardedGuard(test, (map) => ({ ...map, extra: 'extra.safetensors' }));
    writeFile(join(folder, 'extra.safetensors'), zeroSafetensors({ extra: [3] }, ['F8_E4M3', 1]));
    const checkpoint = await openCheckpoint(folder);
    assert.deepEqual(checkpoint.unused, ['extra']);
    assert.deepEqual(checkpoint.tensors.map(({ name }) => name).sort(), Object.keys(kTinyShapes).sort());
  });

  it('leaves the head of a tied checkpoint alone', async (test) => {
    const folder = writeGuard(test, kTinyShapes, { ...kTinyConfig, tie_word_embeddings: true });
    assert.deepEqual((await openCheckpoint(folder)).unused, ['lm_head.weight']);
  });

  it('prefers the single file where both layouts are there', async (test) => {
    const folder = writeShardedGuard(test, () => 'nonsense');
    writeFile(join(folder, 'model.safetensors'), zeroSafetensors(kTinyShapes));
    assert.equal((await openCheckpoint(folder)).files.length, 1);
  });

  it('follows links, as the layout of the Hugging Face cache needs', async (test) => {
    const folder = writeShardedGuard(test);
    const blobs = join(scratchFolder(test), 'blobs');
    mkdirSync(blobs);
    const shard = join(folder, 'model-00001-of-00002.safetensors');
    renameSync(shard, join(blobs, 'abc'));
    symlinkSync(join(blobs, 'abc'), shard);
    assert.equal((await openCheckpoint(folder)).files.length, 2);
  });

  it('names missing tensors, and how many there are', async (test) => {
    const { 'lm_head.weight': _, ...headless } = kTinyShapes;
    await assertRefused(
      openCheckpoint(writeGuard(test, headless)),
      'ERR_CHECKPOINT',
      /1 of 12 tensors are missing: 'lm_head\.weight' \(lm_head\.weight is needed because .* tie_word_embeddings\)/,
    );
    await assertRefused(
      openCheckpoint(writeGuard(test, {})),
      'ERR_CHECKPOINT',
      /12 of 12 tensors are missing: 'model\.embed_tokens\.weight', .* and 7 more/,
    );
    const qwen3 = { ...kTinyConfig, model_type: 'qwen3', architectures: ['Qwen3ForCausalLM'] };
    await assertRefused(openCheckpoint(writeGuard(test, kTinyShapes, qwen3)), 'ERR_CHECKPOINT', /q_norm\.weight/);
  });

  it('refuses tensors of another shape than config.json gives them', async (test) => {
    for (const [name, shape, expected] of [
      ['model.layers.0.self_attn.q_proj.weight', [8, 8], '[12,8]'],
      ['model.embed_tokens.weight', [19, 8], '[20,8]'],
      ['model.norm.weight', [8, 1], '[8]'],
    ] as const) {
      await assertRefused(
        openCheckpoint(writeGuard(test, { ...kTinyShapes, [name]: [...shape] })),
        'ERR_CHECKPOINT',
        new RegExp(
          `model\\.safetensors: tensor '${name}' has the shape \\[${shape}\\]; config\\.json makes it \\${expected}`,
        ),
      );
    }
  });

  it('refuses an element type that the engine does not convert', async (test) => {
    for (const dtype of [
      ['F8_E4M3', 1],
      ['I8', 1],
      ['U32', 4],
      ['F64', 8],
    ] as Dtype[]) {
      const folder = writeGuard(test, kTinyShapes, kTinyConfig, dtype);
      await assertRefused(
        openCheckpoint(folder),
        'ERR_UNSUPPORTED',
        new RegExp(`tensor 'model\\.embed_tokens\\.weight' has the dtype ${dtype[0]}; supported: F32, F16, BF16`),
      );
    }
  });

  it('says what is missing from a directory', async (test) => {
    const folder = scratchFolder(test);
    await assertRefused(openCheckpoint(join(folder, 'none')), 'ERR_CHECKPOINT', /none: no such file or directory/);
    await assertRefused(
      openCheckpoint(scratchFile(test, 'a.bin', '')),
      'ERR_CHECKPOINT',
      /is not a directory; a guard is/,
    );
    await assertRefused(openCheckpoint(folder), 'ERR_CHECKPOINT', /config\.json: no such file/);
    writeFile(join(folder, 'config.json'), JSON.stringify(kTinyConfig));
    await assertRefused(
      openCheckpoint(folder),
      'ERR_CHECKPOINT',
      /has neither model\.safetensors nor model\.safetensors\.index\.json/,
    );
    writeFile(join(folder, 'pytorch_model.bin'), '');
    await assertRefused(openCheckpoint(folder), 'ERR_UNSUPPORTED', /has only pytorch_model\.bin; .*convert it first/);
  });

  it('refuses a shard that lies, as it does a single file', async (test) => {
    const folder = writeShardedGuard(test);
    const shard = join(folder, 'model-00002-of-00002.safetensors');
    writeFile(shard, readFileSync(shard).subarray(0, -1));
    await assertRefused(
      openCheckpoint(folder),
      'ERR_CHECKPOINT',
      /model-00002-of-00002\.safetensors: .* but the file holds/,
    );
    rmSync(shard);
    await assertRefused(
      openCheckpoint(folder),
      'ERR_CHECKPOINT',
      /index\.json: the shard 'model-00002-of-00002\.safetensors' is missing/,
    );
  });

  const first = 'model.embed_tokens.weight';
  const lies: [string, (map: Record<string, string>) => unknown, RegExp][] = [
    ['has no weight_map', () => undefined, /weight_map is missing or not an object/],
    ['has a weight_map that is a list', () => ['a'], /weight_map is missing or not an object/],
    ['has an empty weight_map', () => ({}), /weight_map is empty/],
    [
      'places a tensor in a number',
      (map) => ({ ...map, [first]: 7 }),
      /something else than a file name for 'model\.embed/,
    ],
    [
      'places a tensor in the wrong shard',
      (map) => ({ ...map, [first]: 'model-00002-of-00002.safetensors' }),
      /which does not have it/,
    ],
    [
      'places a tensor that no shard has',
      (map) => ({ ...map, ghost: 'model-00001-of-00002.safetensors' }),
      /places tensor 'ghost' in/,
    ],
    [
      'names a shard above it',
      (map) => ({ ...map, [first]: '../model.safetensors' }),
      /names the shard '\.\.\/model\.safetensors'; a shard must be/,
    ],
    [
      'names a shard by its whole path',
      (map) => ({ ...map, [first]: '/etc/passwd' }),
      /names the shard '\/etc\/passwd'/,
    ],
    ['names a shard below it', (map) => ({ ...map, [first]: 'a/../../b' }), /names the shard 'a\/\.\.\/\.\.\/b'/],
    ['names a shard as Windows would', (map) => ({ ...map, [first]: '..\\b' }), /names the shard '\.\.\\\\b'/],
    ['names a shard with a zero byte', (map) => ({ ...map, [first]: 'a\0b' }), /names the shard 'a\\u0000b'/],
    ['names its own folder', (map) => ({ ...map, [first]: '..' }), /names the shard '\.\.'/],
    ['names no shard', (map) => ({ ...map, [first]: '' }), /names the shard ''/],
    [
      'leaves out a tensor',
      ({ [first]: _, ...rest }) => rest,
      /1 of 12 tensors are missing: 'model\.embed_tokens\.weight'/,
    ],
    [
      'names too many shards',
      () => Object.fromEntries(Array.from({ length: 1025 }, (_, i) => [`t${i}`, `s${i}`])),
      /names 1025 shards; the limit is 1024/,
    ],
  ];
  for (const [what, change, message] of lies) {
    it(`refuses an index that ${what}`, async (test) => {
      await assertRefused(openCheckpoint(writeShardedGuard(test, change)), 'ERR_CHECKPOINT', message);
    });
  }
});
