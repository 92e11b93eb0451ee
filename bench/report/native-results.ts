// The GEMM peak in the results of bench/gpu/run.sh, for a run whose machine has no PyTorch to measure it.
import { readFileSync } from 'node:fs';
import { type Figure, quoted } from './figure.js';

/** results.json, which names the machine, or a case's figures-*.json, which names the device alone. */
interface NativeResults {
  machine?: { gpu: string };
  device?: string;
  figures: { name: string; unit: string; median: number }[];
}

/** Its name for a product of large matrices: "product of 8192 x 8192 x 8192 by cuBLASLt, bf16". */
const kProduct = /^product of .*, bf16$/;
/** Operations a millisecond of a TFLOP/s, in GOP/s. */
const kGigaPerTera = 1000;

/** The best of its products in bf16, in PyTorch's place. Throws where the file holds none, or is of another GPU than `gpu`. */
export function nativePeak(path: string, gpu: string): Figure {
  const { machine, device, figures } = JSON.parse(readFileSync(path, 'utf8')) as NativeResults;
  const its = machine?.gpu ?? device;
  if (its !== gpu) throw new RangeError(`--native ${path} is of '${its}', this run is on '${gpu}'`);
  const rates = figures.filter(({ name, unit }) => kProduct.test(name) && unit === 'TFLOP/s');
  if (rates.length === 0) throw new RangeError(`--native ${path} has no product in bf16, in TFLOP/s`);
  const best = Math.max(...rates.map(({ median }) => median));
  const place = { case: 'ceiling', point: 'native bench', contender: 'torch-gemm', unit: 'GOP/s' as const };
  return quoted(place, best * kGigaPerTera, path);
}
