// Reads GGUF files by the format's description alone, so that what the bench writes is held against something else than itself.
import { readFileSync } from 'node:fs';

export interface GgufTable {
  metadata: Record<string, unknown>;
  tensors: { name: string; shape: number[]; format: number; offset: number }[];
  /** Where the tensors' bytes begin. */
  dataStart: number;
  bytes: Buffer;
}

const kAlignment = 32;

/** Steps through the bytes. */
class Cursor {
  at = 0;
  constructor(private readonly bytes: Buffer) {}

  u32(): number {
    this.at += 4;
    return this.bytes.readUInt32LE(this.at - 4);
  }

  u64(): number {
    this.at += 8;
    return Number(this.bytes.readBigUInt64LE(this.at - 8));
  }

  text(): string {
    const length = this.u64();
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }

  value(type: number): unknown {
    if (type === 4) return this.u32();
    if (type === 8) return this.text();
    if (type === 9) {
      const inner = this.u32();
      return Array.from({ length: this.u64() }, () => this.value(inner));
    }
    this.at += 4;
    if (type === 5) return this.bytes.readInt32LE(this.at - 4);
    if (type === 6) return this.bytes.readFloatLE(this.at - 4);
    throw new Error(`GGUF type ${type}`);
  }
}

export function readGguf(path: string): GgufTable {
  const bytes = readFileSync(path);
  if (bytes.toString('latin1', 0, 4) !== 'GGUF') throw new Error('no GGUF file');
  const cursor = new Cursor(bytes);
  cursor.at = 4;
  if (cursor.u32() !== 3) throw new Error('not version 3');
  const [tensorCount, fieldCount] = [cursor.u64(), cursor.u64()];
  const fields = Array.from({ length: fieldCount }, () => [cursor.text(), cursor.value(cursor.u32())] as const);
  const tensors = Array.from({ length: tensorCount }, () => {
    const name = cursor.text();
    const shape = Array.from({ length: cursor.u32() }, () => cursor.u64());
    return { name, shape, format: cursor.u32(), offset: cursor.u64() };
  });
  const dataStart = Math.ceil(cursor.at / kAlignment) * kAlignment;
  return { metadata: Object.fromEntries(fields), tensors, dataStart, bytes };
}
