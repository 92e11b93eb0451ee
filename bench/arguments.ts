// The command line: names of cases, the device, how much time to spend, who takes part.
import { parseArgs } from 'node:util';
import type { Effort } from './cases/case.js';
import { type Device, kDevices } from './device.js';

export interface Arguments {
  /** Names; empty: all that the effort includes. */
  cases: string[];
  device: Device;
  effort: Effort;
  /** null: all. */
  contenders: Set<string> | null;
  /** Results of bench/gpu/run.sh, for the GEMM peak where PyTorch is not there to measure it; null: none. */
  native: string | null;
  /** Keeps results out of bench/results. */
  dry: boolean;
  help: boolean;
}

/** Names that a device knows. */
export interface Known {
  cases: readonly string[];
  contenders: readonly string[];
}

export const kUsage = `npm run bench -- [case …] [--device cpu|cuda] [--quick | --full] [--contender name]… [--dry]

  case         one or more of the cases below; without, all of them (with --quick, those that fit)
  --device     where guards run: cpu (default), or cuda, an NVIDIA GPU
  --quick      fewer cases, contenders and samples; three minutes on a CPU with VNNI, a quarter of an hour on one without
  --full       more of both, and the shapes that need 16 GB and more
  --contender  only these contenders; may be given more than once
  --native     results.json or figures-bf16.json of bench/gpu/run.sh: its GEMM peak stands in where there is no PyTorch with CUDA
  --dry        print the table and write nothing
`;

/** Throws a RangeError or a TypeError that names the value and what there is. */
export function parseArguments(argv: string[], known: Readonly<Record<Device, Known>>): Arguments {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      device: { type: 'string', default: 'cpu' },
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      contender: { type: 'string', multiple: true },
      native: { type: 'string' },
      dry: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.quick && values.full) throw new RangeError('--quick and --full exclude each other');
  const device = kDevices.find((name) => name === values.device);
  if (device === undefined) {
    throw new RangeError(`--device must be one of ${kDevices.join(', ')}, got '${values.device}'`);
  }
  if (values.native !== undefined && device === 'cpu') throw new RangeError('--native belongs to --device cuda');
  requireKnown(`case on the device ${device}`, positionals, known[device].cases);
  requireKnown(`contender on the device ${device}`, values.contender ?? [], known[device].contenders);
  return {
    cases: positionals,
    device,
    effort: values.quick ? 'quick' : values.full ? 'full' : 'standard',
    contenders: values.contender === undefined ? null : new Set(values.contender),
    native: values.native ?? null,
    dry: values.dry,
    help: values.help,
  };
}

function requireKnown(what: string, given: readonly string[], known: readonly string[]): void {
  const stranger = given.find((name) => !known.includes(name));
  if (stranger !== undefined) throw new RangeError(`no ${what} is called '${stranger}'; there are ${known.join(', ')}`);
}
