// The GEMMs of a guard's layers and nothing else, as an ONNX graph: what a prefill could take at best on this machine with this library.
// A corner of each product is put out, so that no GEMM can be left out as unused and no product is copied.
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cached } from '../weights/cache-directory.js';
import { normalValues } from '../weights/random-values.js';
import { type GuardShape, layerGemms } from '../weights/shapes.js';
import { RepeatedBlocks } from '../weights/tensor-stream.js';
import { encodeOnnx, type OnnxGraph, type OnnxNode, type OnnxTensor } from './model.js';

export type GemmKind = 'int8' | 'f32';

const kWeightsFile = 'weights.bin';
const kZeroPoint = 128; // of the activations, as in the recipe that the guards run
const kBlockValues = 1_999_993; // a prime, so that rows differ
const kAlignment = 4096; // of a tensor in the weights' file, so that it can be mapped

/** Path of the model, generated on first use; its inputs are `gemmInputs`. */
export function gemmModel(shape: GuardShape, kind: GemmKind, layers: number): string {
  const name = `gemm/${shape.name}-${kind}-${layers}`;
  const { graph, bytes } = gemmGraph(shape, kind, layers);
  const directory = cached(name, bytes, (path) => {
    mkdirSync(path);
    const fd = openSync(join(path, kWeightsFile), 'w');
    try {
      new RepeatedBlocks(fd).write(weightBlock(kind), bytes);
    } finally {
      closeSync(fd);
    }
    writeFileSync(join(path, 'model.onnx'), encodeOnnx(graph));
  });
  return join(directory, 'model.onnx');
}

/** Widths of the activations that the GEMMs read; each is one input `x<width>`, `(tokens, width)`, uint8 or float32. */
export function gemmInputs(shape: GuardShape): number[] {
  return [...new Set(layerGemms(shape).map(({ inputs }) => inputs))];
}

function weightBlock(kind: GemmKind): Uint8Array {
  if (kind === 'f32') return new Uint8Array(normalValues(kBlockValues, 0.02, 3).buffer);
  return new Uint8Array(
    Int8Array.from(normalValues(kBlockValues, 30, 3), (value) => Math.max(-127, Math.min(127, value))).buffer,
  );
}

function gemmGraph(shape: GuardShape, kind: GemmKind, layers: number): { graph: OnnxGraph; bytes: number } {
  const nodes: OnnxNode[] = [];
  const weights: OnnxTensor[] = [];
  const corners: string[] = [];
  let offset = 0;
  for (let layer = 0; layer < layers; layer++) {
    for (const { name, inputs, outputs } of layerGemms(shape)) {
      const id = `${name}${layer}`;
      const bytes = inputs * outputs * (kind === 'int8' ? 1 : 4);
      const data = { file: kWeightsFile, offset, bytes };
      offset += Math.ceil(bytes / kAlignment) * kAlignment;
      weights.push({ name: `w_${id}`, type: kind === 'int8' ? 'int8' : 'float32', shape: [inputs, outputs], data });
      const operands = [`x${inputs}`, `w_${id}`];
      if (kind === 'int8') nodes.push({ type: 'MatMulInteger', inputs: [...operands, 'zero_point'], outputs: [id] });
      else nodes.push({ type: 'MatMul', inputs: operands, outputs: [id] });
      nodes.push({ type: 'Slice', inputs: [id, 'corner_from', 'corner_to'], outputs: [`corner_${id}`] });
      corners.push(`corner_${id}`);
    }
  }
  nodes.push({ type: 'Concat', inputs: corners, outputs: ['corners'], attributes: { axis: { int: 0 } } });
  const activations = kind === 'int8' ? 'uint8' : 'float32';
  const graph: OnnxGraph = {
    nodes,
    initializers: [...weights, ...constants(kind)],
    inputs: gemmInputs(shape).map((width) => ({ name: `x${width}`, type: activations, shape: ['tokens', width] })),
    outputs: [{ name: 'corners', type: kind === 'int8' ? 'int32' : 'float32', shape: [corners.length, 1] }],
  };
  return { graph, bytes: offset };
}

function constants(kind: GemmKind): OnnxTensor[] {
  const corner = (name: string, at: bigint): OnnxTensor => ({
    name,
    type: 'int64',
    shape: [2],
    data: new Uint8Array(BigInt64Array.of(at, at).buffer),
  });
  const zeroPoint: OnnxTensor = { name: 'zero_point', type: 'uint8', shape: [], data: Uint8Array.of(kZeroPoint) };
  return [corner('corner_from', 0n), corner('corner_to', 1n), ...(kind === 'int8' ? [zeroPoint] : [])];
}
