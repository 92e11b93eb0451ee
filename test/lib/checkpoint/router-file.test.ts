import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { openCheckpoint, openRouter, requireRouterFits } from '../../../lib/checkpoint/index.js';
import { encodePickle, integer, text } from './pickle-writer.js';
import { assertRefused } from './refused.js';
import { type Dtype, encodeSafetensors, headerOf, zeroSafetensors } from './safetensors-writer.js';
import { kFixtures, scratchFile } from './scratch.js';
import { encodeZip } from './zip-writer.js';

const fixture = (name: string): string => join(kFixtures, 'routers', name);

/** The official network with widths 6 → 5 → 4 → 1. */
const kOfficial: Record<string, number[]> = {
  'cls.0.weight_mu': [5, 6],
  'cls.0.bias_mu': [5],
  'cls.1.weight': [5],
  'cls.1.bias': [5],
  'cls.3.weight_mu': [4, 5],
  'cls.3.bias_mu': [4],
  'cls.4.weight': [4],
  'cls.4.bias': [4],
  'cls.6.weight_mu': [1, 4],
  'cls.6.bias_mu': [1],
};

const write = (test: TestContext, change: Record<string, number[]>, dtype?: Dtype): string =>
  scratchFile(test, 'router.safetensors', zeroSafetensors({ ...kOfficial, ...change }, dtype));

describe('openRouter', () => {
  it('recognises both networks in every form in which they are found', async () => {
    const forms: [string, string, number, number | null][] = [
      ['official-48.safetensors', 'official', 48, null],
      ['official-64.safetensors', 'official', 64, null],
      ['official-plain.pt', 'official', 48, null],
      ['official-wrapped.pt', 'official', 48, -1],
      ['card-48.safetensors', 'card', 48, null],
      ['card-64.safetensors', 'card', 64, null],
      ['card-plain.pt', 'card', 48, null],
      ['card-wrapped.pt', 'card', 48, -1],
    ];
    for (const [name, kind, inputSize, layerIndex] of forms) {
      const router = await openRouter(fixture(name));
      assert.deepEqual([router.kind, router.inputSize, router.layerIndex], [kind, inputSize, layerIndex], name);
      assert.deepEqual(router.widths, kind === 'official' ? [40, 24, 1] : [36, 20, 12, 1]);
      assert.equal(router.defaultThreshold, kind === 'official' ? 0.5 : 0.6);
      assert.deepEqual(router.router.files, [fixture(name)]);
    }
  });

  it("describes the official network's layers", async () => {
    const { layers, tensors } = (await openRouter(fixture('official-plain.pt'))).router;
    assert.deepEqual(layers, [
      {
        weight: 'cls.0.weight_mu',
        bias: 'cls.0.bias_mu',
        layerNorm: { weight: 'cls.1.weight', bias: 'cls.1.bias' },
        batchNorm: null,
        activation: 'relu',
      },
      {
        weight: 'cls.3.weight_mu',
        bias: 'cls.3.bias_mu',
        layerNorm: { weight: 'cls.4.weight', bias: 'cls.4.bias' },
        batchNorm: null,
        activation: 'relu',
      },
      { weight: 'cls.6.weight_mu', bias: 'cls.6.bias_mu', layerNorm: null, batchNorm: null, activation: 'none' },
    ]);
    assert.deepEqual(tensors.map(({ name }) => name).sort(), Object.keys(kOfficial).sort());
  });

  it("describes the card network's layers", async () => {
    const { layers, tensors } = (await openRouter(fixture('card-plain.pt'))).router;
    assert.deepEqual(
      layers.map(({ weight, layerNorm, batchNorm, activation }) => [
        weight,
        layerNorm,
        batchNorm?.runningVar,
        activation,
      ]),
      [
        ['cls.0.weight', null, 'cls.1.running_var', 'gelu'],
        ['cls.4.weight', null, 'cls.5.running_var', 'gelu'],
        ['cls.8.weight', null, 'cls.9.running_var', 'gelu'],
        ['cls.12.weight', null, undefined, 'none'],
      ],
    );
    assert.equal(tensors.length, 3 * 6 + 2);
  });

  it('takes any widths that chain, in any element type of a guard', async (test) => {
    const { inputSize, widths } = await openRouter(write(test, {}));
    assert.deepEqual([inputSize, widths], [6, [5, 4, 1]]);
    for (const dtype of [
      ['F16', 2],
      ['BF16', 2],
    ] as Dtype[])
      await openRouter(write(test, {}, dtype));
  });

  const broken: [string, Record<string, number[]>, RegExp][] = [
    [
      'widths that do not chain',
      { 'cls.3.weight_mu': [4, 7] },
      /'cls\.3\.weight_mu' takes 7 inputs, but the layer before has 5 outputs/,
    ],
    [
      'two outputs',
      { 'cls.6.weight_mu': [2, 4], 'cls.6.bias_mu': [2] },
      /the last layer has 2 outputs; a router has one/,
    ],
    [
      'a weight that is no matrix',
      { 'cls.0.weight_mu': [30] },
      /'cls\.0\.weight_mu' has the shape \[30\]; a layer's weight is/,
    ],
    ['a layer without inputs', { 'cls.0.weight_mu': [5, 0] }, /'cls\.0\.weight_mu' has the shape \[5,0\]/],
    [
      'a bias of another length',
      { 'cls.3.bias_mu': [5] },
      /'cls\.3\.bias_mu' has the shape \[5\]; its layer has 4 outputs/,
    ],
    ['a norm of another length', { 'cls.1.bias': [4] }, /'cls\.1\.bias' has the shape \[4\]; its layer has 5 outputs/],
    ['a norm that is a matrix', { 'cls.1.weight': [5, 1] }, /'cls\.1\.weight' has the shape \[5,1\]/],
  ];
  for (const [what, change, message] of broken) {
    it(`refuses a network with ${what}`, async (test) => {
      await assertRefused(openRouter(write(test, change)), 'ERR_CHECKPOINT', /router\.safetensors: /, message);
    });
  }

  it('refuses any other network, and says what it found', async (test) => {
    const { 'cls.4.bias': _, ...incomplete } = kOfficial;
    const refuse = (shapes: Record<string, number[]>, message: RegExp) =>
      assertRefused(
        openRouter(scratchFile(test, 'a.safetensors', zeroSafetensors(shapes))),
        'ERR_UNSUPPORTED',
        /neither of the two router networks: SafeRoute's own .* nor the model card's/,
        message,
      );
    await refuse(incomplete, /Found: 'cls\.0\.weight_mu', .*'cls\.6\.bias_mu'$/);
    await refuse({ ...kOfficial, 'cls.7.weight': [1] }, /'cls\.7\.weight'$/);
    await refuse({ 'fc.weight': [1, 2] }, /Found: 'fc\.weight'$/);
    await refuse({}, /Found: no tensors$/);
    await refuse(
      Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`t${index}`, [1]])),
      /'t29' and 10 more$/,
    );
  });

  it('refuses an element type that the engine does not convert', async (test) => {
    await assertRefused(
      openRouter(write(test, {}, ['F64', 8])),
      'ERR_UNSUPPORTED',
      /'cls\.0\.weight_mu' has the dtype F64/,
    );
  });

  it('refuses a file of another kind', async (test) => {
    const path = scratchFile(test, 'router.onnx', '');
    await assertRefused(
      openRouter(path),
      'ERR_UNSUPPORTED',
      /a router is a \.safetensors or a \.pt file, not '\.onnx'/,
    );
    await assertRefused(openRouter(join(path, '../none.pt')), 'ERR_CHECKPOINT', /none\.pt: no such file/);
  });

  describe('reads what a file of ours says of itself', () => {
    const noted = (test: TestContext, metadata: Record<string, string>): string => {
      const { header, dataBytes } = headerOf(kOfficial);
      const file = encodeSafetensors({ __metadata__: metadata, ...header }, dataBytes);
      return scratchFile(test, 'router.safetensors', file);
    };
    const ours = { format: 'saferoute-router/1', recipe: 'benefit', threshold: '0.35' };

    it('recipe and threshold', async (test) => {
      for (const recipe of ['official', 'dynaguard', 'benefit']) {
        const router = await openRouter(noted(test, { ...ours, recipe }));
        assert.deepEqual([router.recipe, router.defaultThreshold], [recipe, 0.35]);
      }
    });

    it('and nothing that files of others say', async (test) => {
      for (const metadata of [{}, { format: 'pt' }, { format: 'pt', recipe: 'benefit', threshold: '7' }]) {
        const router = await openRouter(noted(test, metadata));
        assert.deepEqual([router.recipe, router.defaultThreshold], [null, 0.5]);
      }
      assert.equal((await openRouter(fixture('card-plain.pt'))).recipe, null);
    });

    it('but no later format, unknown recipe or impossible threshold', async (test) => {
      const { recipe: _, ...anonymous } = ours;
      const refuse = (metadata: Record<string, string>, code: 'ERR_CHECKPOINT' | 'ERR_UNSUPPORTED', message: RegExp) =>
        assertRefused(openRouter(noted(test, metadata)), code, /router\.safetensors: /, message);
      await refuse(
        { ...ours, format: 'saferoute-router/2' },
        'ERR_UNSUPPORTED',
        /'saferoute-router\/2'; this build reads/,
      );
      await refuse(
        { ...ours, recipe: 'regret' },
        'ERR_UNSUPPORTED',
        /the recipe 'regret'; this build knows official, dyn/,
      );
      await refuse(anonymous, 'ERR_UNSUPPORTED', /the recipe nothing/);
      for (const threshold of ['', ' ', '1.5', '-0.1', 'half', 'NaN']) {
        await refuse({ ...ours, threshold }, 'ERR_CHECKPOINT', /it must be a number from 0 to 1/);
      }
    });
  });

  it('refuses a hidden state that is not the last', async (test) => {
    for (const index of [0, -2]) {
      const pickle = encodePickle('}(', text('state_dict'), '}', text('layer_idx'), integer(index), 'u');
      const path = scratchFile(test, 'router.pt', encodeZip([{ name: 'a/data.pkl', data: pickle }]));
      const message = new RegExp(`layer_idx is ${index}; only features of the last layer are read: -1`);
      await assertRefused(openRouter(path), 'ERR_UNSUPPORTED', message);
    }
  });
});

describe('requireRouterFits', () => {
  it("takes the last hidden state by both of its names, and the guard's width", async () => {
    const guard = await openCheckpoint(join(kFixtures, 'checkpoints/llama-tied-f16'));
    const router = await openRouter(fixture('official-wrapped.pt'));
    for (const layerIndex of [null, -1, 2]) requireRouterFits({ ...router, layerIndex }, guard);
    assert.throws(() => requireRouterFits({ ...router, layerIndex: 1 }, guard), {
      code: 'ERR_UNSUPPORTED',
      message:
        `${router.path}: layer_idx is 1; ` +
        'only features of the last layer are read: -1, or 2 for this guard of 2 layers',
    });
    assert.throws(() => requireRouterFits({ ...router, inputSize: 64 }, guard), {
      code: 'ERR_CHECKPOINT',
      message: `${router.path}: the router reads 64 values, but the hidden size of ${guard.directory} is 48`,
    });
  });
});
