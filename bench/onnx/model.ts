// An ONNX model as bytes: nodes, initializers inside the file or beside it, inputs and outputs. Field numbers are those of onnx.proto3.
import { Message } from './protobuf.js';

export type OnnxType = 'float32' | 'uint8' | 'int8' | 'int32' | 'int64';

export interface OnnxNode {
  type: string;
  inputs: string[];
  outputs: string[];
  attributes?: Record<string, { int: number } | { float: number }>;
}

export interface OnnxTensor {
  name: string;
  type: OnnxType;
  shape: number[];
  /** The values themselves, or where they stand in a file beside the model. */
  data: Uint8Array | { file: string; offset: number; bytes: number };
}

/** A dimension may be a name: it is then known only when the model runs. */
export interface OnnxValue {
  name: string;
  type: OnnxType;
  shape: (number | string)[];
}

export interface OnnxGraph {
  nodes: OnnxNode[];
  initializers: OnnxTensor[];
  inputs: OnnxValue[];
  outputs: OnnxValue[];
}

const kIrVersion = 10;
const kOpset = 21;
const kTypeIds: Readonly<Record<OnnxType, number>> = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 };
const kExternal = 1; // TensorProto.DataLocation
const kFloatAttribute = 1; // AttributeProto.AttributeType
const kIntAttribute = 2;

export function encodeOnnx(graph: OnnxGraph): Buffer {
  const body = new Message();
  for (const node of graph.nodes) body.message(1, encodeNode(node));
  body.text(2, 'bench');
  for (const tensor of graph.initializers) body.message(5, encodeTensor(tensor));
  for (const value of graph.inputs) body.message(11, encodeValue(value));
  for (const value of graph.outputs) body.message(12, encodeValue(value));
  const opset = new Message().text(1, '').int(2, kOpset);
  return new Message().int(1, kIrVersion).message(7, body).message(8, opset).encode();
}

function encodeNode({ type, inputs, outputs, attributes }: OnnxNode): Message {
  const node = new Message();
  for (const name of inputs) node.text(1, name);
  for (const name of outputs) node.text(2, name);
  node.text(4, type);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    const attribute = new Message().text(1, name);
    if ('int' in value) attribute.int(3, value.int).int(20, kIntAttribute);
    else attribute.float(2, value.float).int(20, kFloatAttribute);
    node.message(5, attribute);
  }
  return node;
}

function encodeTensor({ name, type, shape, data }: OnnxTensor): Message {
  const tensor = new Message();
  for (const length of shape) tensor.int(1, length);
  tensor.int(2, kTypeIds[type]).text(8, name);
  if (data instanceof Uint8Array) return tensor.bytes(9, data);
  const place = { location: data.file, offset: String(data.offset), length: String(data.bytes) };
  for (const [key, value] of Object.entries(place)) tensor.message(13, new Message().text(1, key).text(2, value));
  return tensor.int(14, kExternal);
}

function encodeValue({ name, type, shape }: OnnxValue): Message {
  const dims = new Message();
  for (const length of shape) {
    const dim = typeof length === 'number' ? new Message().int(1, length) : new Message().text(2, length);
    dims.message(1, dim);
  }
  const tensorType = new Message().int(1, kTypeIds[type]).message(2, dims);
  return new Message().text(1, name).message(2, new Message().message(1, tensorType));
}
