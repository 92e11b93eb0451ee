import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readModelConfig } from '../../../lib/checkpoint/config.js';
import { assertRefused } from './refused.js';
import { kFixtures, scratchFile } from './scratch.js';

/** Llama-Guard-3-1B's shape, in the spelling of transformers 4. */
const kLlama = {
  architectures: ['LlamaForCausalLM'],
  model_type: 'llama',
  attention_bias: false,
  head_dim: 64,
  hidden_act: 'silu',
  hidden_size: 2048,
  intermediate_size: 8192,
  max_position_embeddings: 131072,
  mlp_bias: false,
  num_attention_heads: 32,
  num_hidden_layers: 16,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-5,
  rope_scaling: {
    factor: 8.0,
    high_freq_factor: 4.0,
    low_freq_factor: 1.0,
    original_max_position_embeddings: 8192,
    rope_type: 'llama3',
  },
  rope_theta: 500000.0,
  tie_word_embeddings: false,
  vocab_size: 128256,
};

/** Qwen3-1.7B's shape. */
const kQwen3 = {
  architectures: ['Qwen3ForCausalLM'],
  model_type: 'qwen3',
  attention_bias: false,
  head_dim: 128,
  hidden_act: 'silu',
  hidden_size: 2048,
  intermediate_size: 6144,
  max_position_embeddings: 40960,
  max_window_layers: 28,
  num_attention_heads: 16,
  num_hidden_layers: 28,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-6,
  rope_scaling: null,
  rope_theta: 1000000,
  sliding_window: null,
  tie_word_embeddings: true,
  use_sliding_window: false,
  vocab_size: 151936,
};

const write = (test: TestContext, config: object): string => scratchFile(test, 'config.json', JSON.stringify(config));

async function specOf(test: TestContext, config: object) {
  return (await readModelConfig(write(test, config))).spec;
}

describe('readModelConfig', () => {
  it("reads Llama Guard's shape", async (test) => {
    assert.deepEqual(await specOf(test, kLlama), {
      layers: 16,
      hiddenSize: 2048,
      heads: 32,
      kvHeads: 8,
      headDim: 64,
      intermediateSize: 8192,
      vocabSize: 128256,
      maxPositions: 131072,
      rmsNormEps: 1e-5,
      ropeTheta: 500000,
      ropeScaling: { factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 },
      qkNorm: false,
      tiedHead: false,
      activation: 'silu',
    });
  });

  it('tells what the model was saved as, where config.json says so in words', async (test) => {
    const savedAs = async (config: object) => (await readModelConfig(write(test, config))).savedAs;
    assert.equal(await savedAs(kLlama), '');
    assert.equal(await savedAs({ ...kLlama, _name_or_path: 'org/DynaGuard-1.7B' }), 'org/DynaGuard-1.7B');
    assert.equal(await savedAs({ ...kLlama, _name_or_path: 7 }), '');
  });

  it("reads Qwen3's shape", async (test) => {
    const { spec, family } = await readModelConfig(write(test, kQwen3));
    assert.equal(family.modelType, 'qwen3');
    assert.deepEqual([spec.headDim, spec.kvHeads, spec.qkNorm, spec.tiedHead], [128, 8, true, true]);
    assert.deepEqual([spec.ropeTheta, spec.ropeScaling, spec.rmsNormEps], [1e6, null, 1e-6]);
  });

  it('reads the same rope in both spellings', async (test) => {
    const { rope_theta, rope_scaling, ...rest } = kLlama;
    const expected = await specOf(test, kLlama);
    assert.deepEqual(await specOf(test, { ...rest, rope_parameters: { ...rope_scaling, rope_theta } }), expected);
    const { rope_type, ...settings } = rope_scaling;
    assert.deepEqual(await specOf(test, { ...kLlama, rope_scaling: { ...settings, type: rope_type } }), expected);
    for (const rope_parameters of [{ rope_theta }, { rope_theta, rope_type: 'default' }]) {
      assert.deepEqual(await specOf(test, { ...rest, rope_parameters }), { ...expected, ropeScaling: null });
    }
  });

  it('reads what transformers writes', async () => {
    for (const [name, theta] of [
      ['llama-untied-f32', 1e4],
      ['llama-tied-f16', 1e4],
      ['qwen3-tied-bf16', 1e6],
    ] as const) {
      const { spec } = await readModelConfig(join(kFixtures, 'checkpoints', name, 'config.json'));
      assert.equal(spec.ropeTheta, theta);
      assert.equal(spec.ropeScaling?.originalMaxPositions, name.startsWith('llama') ? 64 : undefined);
    }
  });

  it("assumes the family's defaults where the file is silent", async (test) => {
    const llama = await specOf(test, {
      model_type: 'llama',
      hidden_size: 64,
      num_attention_heads: 4,
      num_hidden_layers: 1,
      intermediate_size: 8,
      vocab_size: 9,
    });
    assert.deepEqual([llama.headDim, llama.kvHeads, llama.maxPositions, llama.rmsNormEps], [16, 4, 2048, 1e-6]);
    assert.deepEqual([llama.ropeTheta, llama.ropeScaling, llama.tiedHead], [10000, null, false]);
    const { head_dim: _, ...qwen3 } = kQwen3;
    assert.equal((await specOf(test, { ...qwen3, hidden_size: 64 })).headDim, 128);
  });

  const llama3 = kLlama.rope_scaling;
  const unsupported: [string, object, RegExp][] = [
    ['another family', { model_type: 'gemma2' }, /model_type is 'gemma2'; supported: llama, qwen3/],
    [
      'another class',
      { architectures: ['LlamaForSequenceClassification'] },
      /architectures is .*; supported: LlamaForCausalLM/,
    ],
    ['biases in attention', { attention_bias: true }, /attention_bias is true; supported: false/],
    ['biases in the MLP', { mlp_bias: true }, /mlp_bias is true; supported: false/],
    ['another activation', { hidden_act: 'gelu' }, /hidden_act is 'gelu'; supported: silu/],
    ['a sliding window', { use_sliding_window: true }, /use_sliding_window is true; supported: false/],
    [
      'layers with a sliding window',
      { layer_types: ['full_attention', 'sliding_attention'] },
      /layer_types is .*sliding_attention/,
    ],
    [
      'quantised weights',
      { quantization_config: { bits: 4 } },
      /quantization_config is .*bits.*; supported: unquantised/,
    ],
    [
      'yarn',
      { rope_scaling: { rope_type: 'yarn', factor: 4 } },
      /rope_scaling\.rope_type is 'yarn'; supported: default, llama3/,
    ],
    ['old linear scaling', { rope_scaling: { type: 'linear', factor: 4 } }, /rope_scaling\.type is 'linear'/],
    ['rotation of a part of a head', { partial_rotary_factor: 0.5 }, /partial_rotary_factor is 0\.5; supported: 1/],
    [
      'rotation of a part of a head, spelled anew',
      { rope_scaling: null, rope_parameters: { rope_type: 'default', partial_rotary_factor: 0.25 } },
      /rope_parameters\.partial_rotary_factor is 0\.25/,
    ],
  ];
  for (const [what, change, message] of unsupported) {
    it(`refuses ${what} as unsupported`, async (test) => {
      await assertRefused(
        readModelConfig(write(test, { ...kLlama, ...change })),
        'ERR_UNSUPPORTED',
        /config\.json: /,
        message,
      );
    });
  }

  const nonsense: [string, object, RegExp][] = [
    ['no model_type', { model_type: undefined }, /model_type is missing; supported: llama, qwen3/],
    ['a model_type that is no string', { model_type: 7 }, /model_type must be a string, got 7/],
    [
      'architectures that are no list',
      { architectures: 'LlamaForCausalLM' },
      /architectures must be a list of strings/,
    ],
    ['no hidden_size', { hidden_size: undefined }, /hidden_size is missing/],
    ['a hidden_size that is text', { hidden_size: '2048' }, /hidden_size must be a number, got '2048'/],
    ['a hidden_size of null', { hidden_size: null }, /hidden_size is missing/],
    ['a fractional hidden_size', { hidden_size: 20.5 }, /hidden_size must be a whole number, got 20\.5/],
    ['a hidden_size of 0', { hidden_size: 0 }, /hidden_size must be from 1 to 1048576, got 0/],
    ['an absurd hidden_size', { hidden_size: 2 ** 40 }, /hidden_size must be from 1 to 1048576, got 1099511627776/],
    ['negative layers', { num_hidden_layers: -1 }, /num_hidden_layers must be from 1 to 1024, got -1/],
    ['too many layers', { num_hidden_layers: 1025 }, /num_hidden_layers must be from 1 to 1024/],
    ['no heads', { num_attention_heads: 0 }, /num_attention_heads must be from 1 to 4096/],
    [
      'heads that do not divide',
      { num_key_value_heads: 5 },
      /num_attention_heads 32 is not a multiple of num_key_value_heads 5/,
    ],
    ['more key heads than heads', { num_key_value_heads: 64 }, /num_attention_heads 32 is not a multiple/],
    ['an odd head_dim', { head_dim: 63 }, /head_dim is 63; rotary positions need an even one/],
    [
      'a head_dim that cannot be',
      { head_dim: undefined, hidden_size: 100 },
      /hidden_size 100 is not a multiple of num_attention_heads 32/,
    ],
    ['an absurd vocabulary', { vocab_size: 1e9 }, /vocab_size must be from 1 to 16777216/],
    ['an absurd context', { max_position_embeddings: 2 ** 31 }, /max_position_embeddings must be from 1 to 2147483647/],
    ['a negative epsilon', { rms_norm_eps: -1e-5 }, /rms_norm_eps must be from 0 to 0\.1, got -0\.00001/],
    ['an epsilon of 1', { rms_norm_eps: 1 }, /rms_norm_eps must be from 0 to 0\.1, got 1/],
    ['a theta of 0', { rope_theta: 0 }, /rope_theta must be from 1 to/],
    ['rope_scaling that is a number', { rope_scaling: 8 }, /rope_scaling must be an object, got 8/],
    [
      'rope_scaling without a type',
      { rope_scaling: { factor: 8 } },
      /the rope settings have no rope_type; supported: default, llama3/,
    ],
    ['llama3 without a factor', { rope_scaling: { ...llama3, factor: undefined } }, /rope_scaling\.factor is missing/],
    [
      'llama3 with a factor below 1',
      { rope_scaling: { ...llama3, factor: 0.5 } },
      /rope_scaling\.factor must be from 1 to/,
    ],
    [
      'llama3 with crossed bands',
      { rope_scaling: { ...llama3, low_freq_factor: 4 } },
      /low_freq_factor must be below high_freq_factor 4/,
    ],
    [
      'llama3 without its context',
      { rope_scaling: { ...llama3, original_max_position_embeddings: undefined } },
      /rope_scaling\.original_max_position_embeddings is missing/,
    ],
    [
      'rope in both spellings',
      { rope_parameters: { rope_type: 'default' } },
      /has both rope_scaling and rope_parameters/,
    ],
    [
      'two thetas',
      { rope_scaling: null, rope_parameters: { rope_type: 'default', rope_theta: 7 } },
      /rope_parameters\.rope_theta contradicts the outer rope_theta, 500000, got 7/,
    ],
    ['a flag that is text', { tie_word_embeddings: 'false' }, /tie_word_embeddings must be true or false, got 'false'/],
    ['a flag that is a number', { attention_bias: 1 }, /attention_bias must be true or false, got 1/],
    ['an infinite number', { rope_theta: 'Infinity' }, /rope_theta must be a number, got 'Infinity'/],
  ];
  for (const [what, change, message] of nonsense) {
    it(`refuses ${what}`, async (test) => {
      await assertRefused(
        readModelConfig(write(test, { ...kLlama, ...change })),
        'ERR_CHECKPOINT',
        /config\.json: /,
        message,
      );
    });
  }

  it('refuses text that is no JSON object', async (test) => {
    const refuse = (text: string, message: RegExp) =>
      assertRefused(readModelConfig(scratchFile(test, 'config.json', text)), 'ERR_CHECKPOINT', message);
    await refuse('', /is not valid JSON/);
    await refuse('[]', /is not a JSON object/);
    await refuse('null', /is not a JSON object/);
    await refuse(JSON.stringify(kLlama).replace('0.00001', 'NaN'), /is not valid JSON/);
    await refuse(
      JSON.stringify(kLlama).replace('500000', '1e999'),
      /rope_theta must be from 1 to 1000000000000000, got Infinity/,
    );
    await refuse(' '.repeat(4 * 2 ** 20 + 1), /is 4194305 bytes long; the limit .* is 4194304/);
  });
});
