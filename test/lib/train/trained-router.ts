/** Router files that say what they were trained on. */
import { readFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { LabelledTable } from '../../../lib/train/features-writer.js';
import { digestOf } from '../../../lib/train/table-digest.js';
import { scratchFile } from '../checkpoint/scratch.js';

/** A copy of the file `router` as if it had been trained on the table, but for `validShare` of its rows, split with seed 3. */
export function trainedRouter(test: TestContext, router: string, table: LabelledTable, validShare: number): string {
  const bytes = readFileSync(router);
  const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
  const metadata = {
    format: 'saferoute-router/1',
    recipe: 'official',
    threshold: '0.5',
    split: JSON.stringify({ digest: digestOf(table), seed: 3, validShare }),
  };
  const header = Buffer.from(
    JSON.stringify({ ...JSON.parse(`${bytes.subarray(8, headerEnd)}`), __metadata__: metadata }),
  );
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  return scratchFile(test, 'router.safetensors', Buffer.concat([size, header, bytes.subarray(headerEnd)]));
}
