/**
 * Reads the state dict of a PyTorch checkpoint (the ZIP format of `torch.save`) as a table of tensors, without running
 * anything in it.
 */

import type { FileTensor, TensorFile } from './file-tensor.js';
import { unpickle } from './pickle.js';
import { PickleDict, type PickleValue } from './pickle-values.js';
import { quoted, refuse, refuseUnsupported } from './refusal.js';
import { type SourceFile, withSourceFile } from './source-file.js';
import { TorchHost, TorchTensor } from './torch-tensor.js';
import { readZipEntries, type ZipEntry } from './zip.js';

export interface TorchCheckpoint extends TensorFile {
  /** The `layer_idx` beside a wrapped state dict; null where the file says nothing. */
  layerIndex: number | null;
}

const kPickleLimit = 8 * 1024 * 1024; // bytes; a state dict takes about 200 per tensor
const kPickleName = /^([^/]+\/)data\.pkl$/;
const kByteOrderLimit = 16; // bytes
const kLegacyStart = 0x80; // a bare pickle: what torch.save wrote before version 1.6

/**
 * Throws ERR_CHECKPOINT for a file that contradicts itself, ERR_UNSUPPORTED for one that asks for more than tensors.
 */
export function readTorchCheckpoint(path: string): Promise<TorchCheckpoint> {
  return withSourceFile(path, async (file) => {
    await requireZip(file);
    const entries = await readZipEntries(file);
    const [entry, folder] = findPickle(path, entries);
    await requireLittleEndian(file, entries.get(`${folder}byteorder`));
    if (entry.bytes > kPickleLimit) refuse(path, `data.pkl has ${entry.bytes} bytes; the limit is ${kPickleLimit}`);
    const pickle = await file.read(entry.offset, entry.bytes, 'data.pkl');
    return { path, ...unwrap(path, unpickle(pickle, new TorchHost(path, entries, folder))) };
  });
}

async function requireZip(file: SourceFile): Promise<void> {
  if (file.size === 0) refuse(file.path, 'is empty');
  const start = await file.read(0, Math.min(2, file.size), 'the first bytes');
  if (start.toString('latin1') === 'PK') return;
  if (start[0] === kLegacyStart) {
    refuseUnsupported(
      file.path,
      'is in the format that torch.save used before PyTorch 1.6; load and save it again there',
    );
  }
  refuse(file.path, "is no PyTorch checkpoint: it does not begin with a ZIP archive's 'PK'");
}

function findPickle(path: string, entries: ReadonlyMap<string, ZipEntry>): [ZipEntry, string] {
  const found = [...entries.values()].filter(({ name }) => kPickleName.test(name));
  const [entry] = found;
  if (entry === undefined) return refuse(path, 'the archive has no data.pkl: torch.save did not write it');
  if (found.length > 1) refuse(path, `the archive has ${found.length} data.pkl`);
  return [entry, entry.name.slice(0, -'data.pkl'.length)];
}

/** Archives from before PyTorch 2.1 do not name their byte order; they are little-endian. */
async function requireLittleEndian(file: SourceFile, entry: ZipEntry | undefined): Promise<void> {
  if (entry === undefined) return;
  const bytes = await file.read(entry.offset, Math.min(entry.bytes, kByteOrderLimit), 'the byte order');
  const order = bytes.toString('latin1');
  if (order !== 'little') refuseUnsupported(file.path, `its byte order is ${quoted(order)}; only 'little' is read`);
}

/**
 * A plain dict of tensors, or {"state_dict": dict of tensors, "layer_idx": …} with whatever else the trainer kept
 * there.
 */
function unwrap(path: string, root: PickleValue): Omit<TorchCheckpoint, 'path'> {
  if (!(root instanceof PickleDict)) return refuse(path, 'holds something else than a dict of tensors');
  const inner = root.entries.get('state_dict');
  if (inner === undefined) return { tensors: tensorsOf(path, root), layerIndex: null };
  if (!(inner instanceof PickleDict)) return refuse(path, "its 'state_dict' is not a dict of tensors");
  return { tensors: tensorsOf(path, inner), layerIndex: layerIndexOf(path, root.entries.get('layer_idx')) };
}

function layerIndexOf(path: string, value: PickleValue | undefined): number | null {
  if (value === undefined || value === null) return null;
  return Number.isSafeInteger(value) ? (value as number) : refuse(path, `its 'layer_idx' is not a whole number`);
}

function tensorsOf(path: string, dict: PickleDict): Map<string, FileTensor> {
  const tensors = new Map<string, FileTensor>();
  for (const [name, value] of dict.entries) {
    if (typeof name !== 'string')
      return refuse(path, `its state dict has the key ${String(name)}, which is not a string`);
    if (!(value instanceof TorchTensor))
      return refuse(path, `its state dict has ${quoted(name)}, which is not a tensor`);
    const { dtype, shape, offset, bytes } = value;
    tensors.set(name, { name, dtype, shape, offset, bytes });
  }
  return tensors;
}
