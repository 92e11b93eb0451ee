/** Writes pickles operation by operation: what Python would write, and what it never would. */

/** An operation: its code and its argument's bytes. */
type Part = Buffer | string;

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
};

/** Protocol 2, the parts, STOP. Strings stand for their Latin-1 bytes. */
export function encodePickle(...parts: Part[]): Buffer {
  return Buffer.concat([Buffer.from([0x80, 2]), ...parts.map(bytesOf), Buffer.from('.')]);
}

export const kMark = '(';
export const kTuple = 't';
export const kReduce = 'R';
export const kEmptyTuple = ')';
export const kEmptyDict = '}';
export const kSetItem = 's';
export const kPersistentId = 'Q';

export function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from('X'), int32(bytes.length), bytes]);
}

export function integer(value: number): Buffer {
  return Buffer.concat([Buffer.from('J'), int32(value)]);
}

export function global(module: string, name: string): Buffer {
  return Buffer.from(`c${module}\n${name}\n`);
}

export function tuple(...parts: Part[]): Buffer {
  return Buffer.concat([kMark, ...parts, kTuple].map(bytesOf));
}

/** What torch.save writes for a tensor in the storage `key`. Sizes are in elements. */
export function tensor(options: {
  key?: string;
  storage?: string;
  elements: number;
  start?: number;
  shape: number[];
  strides: number[];
}): Buffer {
  const storage = tuple(
    text('storage'),
    global('torch', options.storage ?? 'FloatStorage'),
    text(options.key ?? '0'),
    text('cpu'),
    integer(options.elements),
  );
  const args = tuple(
    storage,
    kPersistentId,
    integer(options.start ?? 0),
    tuple(...options.shape.map(integer)),
    tuple(...options.strides.map(integer)),
    '\x89',
    global('collections', 'OrderedDict'),
    kEmptyTuple,
    kReduce,
  );
  return Buffer.concat([global('torch._utils', '_rebuild_tensor_v2'), args, Buffer.from(kReduce)]);
}

/** A dict of one entry. */
export function dict(key: string, ...value: Part[]): Buffer {
  return Buffer.concat([kEmptyDict, text(key), ...value, kSetItem].map(bytesOf));
}

function bytesOf(part: Part): Buffer {
  return typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
}
