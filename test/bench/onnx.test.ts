// ONNX models that the bench encodes, run by ONNX Runtime.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { gemmInputs, gemmModel } from '../../bench/onnx/gemm-graph.js';
import { encodeOnnx } from '../../bench/onnx/model.js';
import { varint } from '../../bench/onnx/protobuf.js';
import { routerModel } from '../../bench/onnx/router-graph.js';
import { normalValues } from '../../bench/weights/random-values.js';
import type { GuardShape } from '../../bench/weights/shapes.js';

const kTinyShape: GuardShape = {
  name: 'tiny',
  architecture: 'llama',
  layers: 3,
  hiddenSize: 32,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  intermediateSize: 96,
  vocabSize: 1000,
  tiedHead: true,
  rmsNormEps: 1e-5,
  ropeTheta: 10_000,
  ropeScaling: null,
};

test('varints take seven bits a byte', () => {
  assert.deepEqual([...varint(0)], [0]);
  assert.deepEqual([...varint(127)], [127]);
  assert.deepEqual([...varint(300)], [0xac, 0x02]);
  assert.deepEqual([...varint(2 ** 32)], [0x80, 0x80, 0x80, 0x80, 0x10]);
  assert.throws(() => varint(-1), /-1/);
});

test('an encoded model multiplies', async () => {
  const weights = Float32Array.of(1, 2, 3, 4);
  const model = encodeOnnx({
    nodes: [{ type: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] }],
    initializers: [{ name: 'w', type: 'float32', shape: [2, 2], data: new Uint8Array(weights.buffer) }],
    inputs: [{ name: 'x', type: 'float32', shape: ['rows', 2] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['rows', 2] }],
  });
  const session = await InferenceSession.create(model);
  const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 10, 2, 20), [2, 2]) });
  assert.deepEqual(values(y), [31, 42, 62, 84]);
  await session.release();
});

test('the router gives another hardness, from 0 to 1, for another feature', async () => {
  const session = await InferenceSession.create(routerModel(64));
  const hardness = async (seed: number) => {
    const feature = new Tensor('float32', normalValues(64, 1, seed), [1, 64]);
    const { hardness } = await session.run({ feature });
    return values(hardness)[0] as number;
  };
  const [first, second] = [await hardness(1), await hardness(2)];
  assert.ok(first > 0 && first < 1 && second > 0 && second < 1);
  assert.notEqual(first, second);
  await session.release();
});

for (const kind of ['int8', 'f32'] as const) {
  test(`the ${kind} GEMM graph runs every product of every layer`, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'saferoute-gemm-'));
    process.env.SAFEROUTE_BENCH_CACHE = directory;
    try {
      const session = await InferenceSession.create(gemmModel(kTinyShape, kind, 3));
      const tokens = 5;
      const feeds = gemmInputs(kTinyShape).map((width) => {
        const activations = Array.from({ length: tokens * width }, (_, index) => (index * 131) % 251);
        const dims = [tokens, width];
        if (kind === 'f32') return [`x${width}`, new Tensor('float32', Float32Array.from(activations), dims)] as const;
        return [`x${width}`, new Tensor('uint8', Uint8Array.from(activations), dims)] as const;
      });
      const { corners } = await session.run(Object.fromEntries(feeds));
      assert.deepEqual(corners?.dims, [3 * 4, 1]);
      assert.ok(new Set(values(corners)).size > 6, 'the corners of different products differ');
      await session.release();
    } finally {
      delete process.env.SAFEROUTE_BENCH_CACHE;
      rmSync(directory, { recursive: true });
    }
  });
}

function values(tensor: Tensor | undefined): number[] {
  if (tensor === undefined) throw new Error('the session gave no such output');
  return [...(tensor.data as Float32Array | Int32Array)];
}
