/**
 * A router file, `.safetensors` or PyTorch's `.pt` → which of the published networks it is, and its layers for native
 * code.
 */

import { extname, resolve } from 'node:path';
import type { NativeRouter } from '../native.js';
import type { Checkpoint } from './checkpoint.js';
import type { FileTensor } from './file-tensor.js';
import { listed, quoted, refuse, refuseUnsupported } from './refusal.js';
import { kRouterNetworks, layerTensors, type RouterNetwork } from './router-networks.js';
import { kUnnoted, type RouterNotes, readRouterNotes } from './router-notes.js';
import { readSafetensors } from './safetensors.js';
import { tableOf } from './tensor-table.js';
import { readTorchCheckpoint, type TorchCheckpoint } from './torch-checkpoint.js';

export interface RouterFile {
  /** Absolute. */
  path: string;
  /**
   * 'official': SafeRoute's own network (arXiv 2502.12464); 'card': that of the model card "SafeRoute Router Model".
   */
  kind: RouterNetwork['kind'];
  /** Width of the feature that it reads; must be the small guard's hidden size. */
  inputSize: number;
  /** Outputs of each layer; the last is 1. */
  widths: number[];
  /** How it was trained, where the file says so. For 'benefit' its output is (1 + the expected gain of escalating) / 2. */
  recipe: RouterNotes['recipe'];
  /** What it learnt from, where the file says so. */
  split: RouterNotes['split'];
  /** A request is hard where its hardness is above this, unless the caller says otherwise: the file's own, or its network's. */
  defaultThreshold: number;
  /**
   * The hidden state that the router was trained on, as an index into transformers' `hidden_states`: 0 is the
   * embedding, `layers` the output of the last layer after the final norm, and -1 the same counted from the end. null
   * where the file says nothing.
   */
  layerIndex: number | null;
  /** The tensors and layers, as native code takes them. */
  router: NativeRouter;
}

/** Throws ERR_CHECKPOINT for a broken file, ERR_UNSUPPORTED for a network that is none of the published ones. */
export async function openRouter(file: string): Promise<RouterFile> {
  const path = resolve(file);
  const { tensors, layerIndex, notes } = await readTensors(path);
  if (layerIndex !== null && layerIndex < 1 && layerIndex !== -1) refuseLayer(path, layerIndex, '-1');
  const network = recognise(path, tensors);
  const names = network.layers.flatMap(layerTensors);
  const used = names.map((name) => ({ ...(tensors.get(name) as FileTensor), path }));
  return {
    path,
    kind: network.kind,
    ...chainWidths(path, network, tensors),
    recipe: notes.recipe,
    split: notes.split,
    defaultThreshold: notes.threshold ?? network.defaultThreshold,
    layerIndex,
    router: { ...tableOf(used), layers: [...network.layers] },
  };
}

/** Throws ERR_CHECKPOINT or ERR_UNSUPPORTED where the router was not made for the features of this guard. */
export function requireRouterFits({ path, inputSize, layerIndex }: RouterFile, guard: Checkpoint): void {
  const { hiddenSize, layers } = guard.spec;
  if (inputSize !== hiddenSize) {
    refuse(path, `the router reads ${inputSize} values, but the hidden size of ${guard.directory} is ${hiddenSize}`);
  }
  if (layerIndex !== null && layerIndex !== -1 && layerIndex !== layers) {
    refuseLayer(path, layerIndex, `-1, or ${layers} for this guard of ${layers} layers`);
  }
}

function refuseLayer(path: string, index: number, supported: string): never {
  refuseUnsupported(path, `layer_idx is ${index}; only features of the last layer are read: ${supported}`);
}

async function readTensors(path: string): Promise<Omit<TorchCheckpoint, 'path'> & { notes: RouterNotes }> {
  const extension = extname(path).toLowerCase();
  if (extension === '.safetensors') {
    const { tensors, metadata } = await readSafetensors(path);
    return { tensors, layerIndex: null, notes: readRouterNotes(path, metadata) };
  }
  if (extension === '.pt' || extension === '.pth') return { ...(await readTorchCheckpoint(path)), notes: kUnnoted };
  return refuseUnsupported(path, `a router is a .safetensors or a .pt file, not ${quoted(extension)}`);
}

/** A network is recognised by having all of its tensors, and none besides but those that it may ignore. */
function recognise(path: string, tensors: ReadonlyMap<string, FileTensor>): RouterNetwork {
  for (const network of kRouterNetworks) {
    const needed = new Set(network.layers.flatMap(layerTensors));
    const strange = [...tensors.keys()].filter((name) => !needed.has(name) && !network.ignored.test(name));
    if (strange.length === 0 && [...needed].every((name) => tensors.has(name))) return network;
  }
  const found = tensors.size === 0 ? 'no tensors' : listed([...tensors.keys()], 30);
  return refuseUnsupported(
    path,
    "is neither of the two router networks: SafeRoute's own (cls.{0,3,6}.weight_mu and bias_mu, " +
      "cls.{1,4}.weight and bias) nor the model card's (cls.{0,4,8,12}.weight and bias, batch norms at cls.{1,5,9}). " +
      `Found: ${found}`,
  );
}

/** Holds every shape against its neighbours: any widths that chain, one output at the end. */
function chainWidths(
  path: string,
  { layers }: RouterNetwork,
  tensors: ReadonlyMap<string, FileTensor>,
): Pick<RouterFile, 'inputSize' | 'widths'> {
  const sizes: number[] = [];
  for (const layer of layers) {
    const { shape } = tensors.get(layer.weight) as FileTensor;
    const [outputs, inputs] = shape;
    if (shape.length !== 2 || !outputs || !inputs) {
      return refuse(
        path,
        `tensor ${quoted(layer.weight)} has the shape [${shape}]; a layer's weight is [outputs, inputs]`,
      );
    }
    if (sizes.length === 0) sizes.push(inputs);
    if (inputs !== sizes.at(-1)) {
      refuse(
        path,
        `tensor ${quoted(layer.weight)} takes ${inputs} inputs, but the layer before has ${sizes.at(-1)} outputs`,
      );
    }
    for (const name of layerTensors(layer).slice(1)) requireVector(path, tensors.get(name) as FileTensor, outputs);
    sizes.push(outputs);
  }
  const [inputSize, ...widths] = sizes as [number, ...number[]];
  if (widths.at(-1) !== 1) refuse(path, `the last layer has ${widths.at(-1)} outputs; a router has one`);
  return { inputSize, widths };
}

function requireVector(path: string, { name, shape }: FileTensor, size: number): void {
  if (shape.length !== 1 || shape[0] !== size) {
    refuse(path, `tensor ${quoted(name)} has the shape [${shape}]; its layer has ${size} outputs`);
  }
}
