/** Writes a router as a file that PyTorch loads under the published networks' own names, and `openRouter` here. */

import { writeAtomically } from '../atomic-file.js';
import type { FileTensor } from '../checkpoint/file-tensor.js';
import { refuseUnsupported } from '../checkpoint/refusal.js';
import { kRouterFormat } from '../checkpoint/router-notes.js';
import { encodeSafetensorsHeader } from '../checkpoint/safetensors-header.js';
import type { NativeTrainedRouter, NativeTrainingPlan } from '../native-training.js';
import type { FeatureTable, GuardColumns } from './feature-table.js';
import { toHalf } from './half.js';
import { kRecipes, type RecipeName } from './recipes.js';
import { digestOf } from './table-digest.js';
import type { RouterDtype } from './train-options.js';

/** Where a router comes from. */
export interface RouterOrigin {
  recipe: RecipeName;
  seed: number;
  /** What the rows were split by. */
  validShare: number;
  /** How many of the table's rows it was trained on, and how many chose the epoch or judged it. */
  trainRows: number;
  validRows: number;
  table: FeatureTable;
  /** Of the weight matrices; biases and norms, of which there are few, are F32. */
  dtype: RouterDtype;
}

/** A tensor and its values. */
interface Written {
  tensor: FileTensor;
  values: Float32Array | Uint16Array | BigInt64Array;
}

/** Batch norms of the card's network: PyTorch counts the batches that each has seen, and its loader wants the count. */
const kBatchNorms = ['cls.1', 'cls.5', 'cls.9'];

/** Over a file that was there; whole or not at all. Throws ERR_UNSUPPORTED where a weight is too large for the dtype. */
export async function writeRouter(path: string, trained: NativeTrainedRouter, origin: RouterOrigin): Promise<void> {
  const { network } = kRecipes[origin.recipe].plan;
  const written = placed(path, network, trained, origin.dtype);
  const header = encodeSafetensorsHeader(
    written.map(({ tensor }) => tensor),
    metadataOf(trained, origin),
  );
  await writeAtomically(path, async (write) => {
    await write(header);
    for (const { values } of written) await write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  });
}

/** One behind the other, the widest elements first, as readers in C want them. */
function placed(
  path: string,
  network: NativeTrainingPlan['network'],
  { tensors, keptSteps }: NativeTrainedRouter,
  dtype: RouterDtype,
): Written[] {
  const counters = network === 'card' ? kBatchNorms : [];
  const halved = (shape: number[]) => dtype === 'f16' && shape.length === 2;
  const all = [
    ...counters.map((norm) => entry(`${norm}.num_batches_tracked`, 'I64', [], BigInt64Array.of(BigInt(keptSteps)))),
    ...tensors
      .filter(({ shape }) => !halved(shape))
      .map(({ name, shape, values }) => entry(name, 'F32', shape, values)),
    ...tensors
      .filter(({ shape }) => halved(shape))
      .map(({ name, shape, values }) => entry(name, 'F16', shape, halves(path, name, values))),
  ];
  let end = 0;
  for (const { tensor } of all) {
    tensor.offset = end;
    end += tensor.bytes;
  }
  return all;
}

function halves(path: string, name: string, values: Float32Array): Uint16Array {
  return (
    toHalf(values) ??
    refuseUnsupported(path, `${name} has a weight that half precision cannot hold: train with dtype f32`)
  );
}

function entry(name: string, dtype: string, shape: number[], values: Written['values']): Written {
  return { tensor: { name, dtype, shape, offset: 0, bytes: values.byteLength }, values };
}

function metadataOf(
  { epochs, keptEpoch }: NativeTrainedRouter,
  { recipe, seed, validShare, trainRows, validRows, table }: RouterOrigin,
): Record<string, string> {
  const guard = ({ fingerprint, precision }: GuardColumns) => ({ fingerprint, precision });
  const features = { small: guard(table.small), large: guard(table.large), rows: table.rows, trainRows, validRows };
  return {
    format: kRouterFormat,
    recipe,
    threshold: String(kRecipes[recipe].threshold),
    seed: String(seed),
    epochs: String(epochs),
    kept_epoch: String(keptEpoch),
    features: JSON.stringify(features),
    split: JSON.stringify({ digest: digestOf(table), seed, validShare }),
    created: new Date().toISOString(),
  };
}
