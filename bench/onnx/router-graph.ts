// The official router (Linear, LayerNorm, ReLU twice, then Linear and sigmoid) as an ONNX graph, the way an exporter writes it.
import { normalValues } from '../weights/random-values.js';
import { kRouterWidth } from '../weights/router-file.js';
import { encodeOnnx, type OnnxGraph, type OnnxNode, type OnnxTensor } from './model.js';

const kLayerNormEps = 1e-5;
const kDeviation = 0.03;

/** Input `feature` (1, featureSize), output `hardness` (1, 1). */
export function routerModel(featureSize: number): Buffer {
  const graph: OnnxGraph = {
    nodes: [],
    initializers: [],
    inputs: [{ name: 'feature', type: 'float32', shape: [1, featureSize] }],
    outputs: [{ name: 'hardness', type: 'float32', shape: [1, 1] }],
  };
  let value = 'feature';
  const widths = [featureSize, kRouterWidth, kRouterWidth, 1];
  for (const [at, inputs] of widths.slice(0, -1).entries()) {
    const outputs = widths[at + 1] as number;
    graph.initializers.push(...linearWeights(at, inputs, outputs));
    graph.nodes.push(node('Gemm', [value, `weight${at}`, `bias${at}`], `linear${at}`, { transB: { int: 1 } }));
    value = `linear${at}`;
    if (outputs === 1) continue;
    graph.initializers.push(constant(`scale${at}`, [outputs], 1), constant(`shift${at}`, [outputs], 0));
    const attributes = { axis: { int: 1 }, epsilon: { float: kLayerNormEps } };
    graph.nodes.push(node('LayerNormalization', [value, `scale${at}`, `shift${at}`], `norm${at}`, attributes));
    graph.nodes.push(node('Relu', [`norm${at}`], `relu${at}`));
    value = `relu${at}`;
  }
  graph.nodes.push(node('Sigmoid', [value], 'hardness'));
  return encodeOnnx(graph);
}

function linearWeights(at: number, inputs: number, outputs: number): OnnxTensor[] {
  const weights = normalValues(outputs * inputs, kDeviation, 10 + at);
  return [
    { name: `weight${at}`, type: 'float32', shape: [outputs, inputs], data: bytesOf(weights) },
    constant(`bias${at}`, [outputs], 0),
  ];
}

function constant(name: string, shape: [number], value: number): OnnxTensor {
  return { name, type: 'float32', shape, data: bytesOf(new Float32Array(shape[0]).fill(value)) };
}

function node(type: string, inputs: string[], output: string, attributes: OnnxNode['attributes'] = {}): OnnxNode {
  return { type, inputs, outputs: [output], attributes };
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
