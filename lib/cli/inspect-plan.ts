/** `saferoute inspect --plan`: where a pair or a guard would lie on a GPU, this machine's or one of a given size. */

import { openPair, openRouter } from '../checkpoint/index.js';
import { SafeRouteError } from '../errors.js';
import { openGuardFiles } from '../load.js';
import type { NativeAddon, NativeGpuRequest, NativeModelSpec, NativeRouter } from '../native.js';
import { parseGuardOptions } from '../validate-options.js';
import { UsageError } from './exit.js';
import { oneOf, sizeIn } from './flag-values.js';
import type { InspectTarget } from './inspect-target.js';

/** What a load takes where nothing is said. */
const kDefaults = parseGuardOptions(undefined);

/** For `parseArgs`. */
export const kPlanFlags = {
  plan: { type: 'boolean', default: false },
  'device-memory': { type: 'string' },
  gpu: { type: 'string' },
  kv: { type: 'string' },
  precision: { type: 'string' },
} as const;

export const kPlanFlagsUsage = `\
  --plan                  show where the guards would lie on the GPU: exit code 1 also where they do not fit
  --device-memory SIZE    plan for a GPU of this size, such as 24GiB, rather than for this machine's
  --gpu SIZE|SHARE        GPU memory that the guards may take: a size, or a share of the device's (default 0.9)
  --kv SIZE               keys and values of each guard (default 256MiB)
  --precision P           bf16 (default), fp8`;

export interface PlanFlagValues {
  plan: boolean;
  'device-memory'?: string;
  gpu?: string;
  kv?: string;
  precision?: string;
}

type PlanSettings = Pick<NativeGpuRequest, 'precision' | 'kvBytes' | 'gpuLimit'> & { deviceBytes: number | null };

/** null where no plan is asked for. */
export function planSettings({
  plan,
  'device-memory': device,
  gpu,
  kv,
  precision,
}: PlanFlagValues): PlanSettings | null {
  if (!plan) {
    const given = Object.entries({ 'device-memory': device, gpu, kv, precision }).find(
      ([, value]) => value !== undefined,
    );
    if (given !== undefined) throw new UsageError(`--${given[0]} belongs to --plan`);
    return null;
  }
  return {
    precision: precision === undefined ? 'bf16' : oneOf('--precision', precision, ['bf16', 'fp8']),
    kvBytes: kv === undefined ? kDefaults.kvBytes : sizeIn('--kv', kv),
    gpuLimit: gpu === undefined ? kDefaults.gpuLimit : gpuLimit(gpu),
    deviceBytes: device === undefined ? null : sizeIn('--device-memory', device),
  };
}

/** "0.5" is half of the device; "8GiB" is a size. */
function gpuLimit(text: string): NativeGpuRequest['gpuLimit'] {
  if (!/^\d*\.\d+$|^1$/.test(text)) return { bytes: sizeIn('--gpu', text), fraction: 0 };
  const fraction = Number(text);
  if (fraction > 0 && fraction <= 1) return { bytes: 0, fraction };
  throw new UsageError(`--gpu must be a size such as 8GiB, or a share of the device over 0 and up to 1, got '${text}'`);
}

/** The table, and whether what it shows fits. Rejects with ERR_UNSUPPORTED where there is no GPU and no size was given. */
export async function planTarget(
  target: InspectTarget,
  { deviceBytes, ...settings }: PlanSettings,
  addon: NativeAddon,
): Promise<{ fits: boolean; table: string }> {
  const device = deviceBytes === null ? await thisDevice(addon) : { totalBytes: deviceBytes, freeBytes: deviceBytes };
  return addon.planGpuMemory({
    ...settings,
    ...device,
    guards: await guardsOf(target),
    batchTokens: kDefaults.batchTokens,
    batchRows: kDefaults.batchRows,
    hostBytes: Math.floor((addon.availableMemory() / 4) * 3), // what a load would pin at most
  });
}

async function thisDevice(addon: NativeAddon): Promise<{ totalBytes: number; freeBytes: number }> {
  const { facts, problem } = await addon.cudaDevice();
  if (facts !== null) return { totalBytes: facts.memoryBytes, freeBytes: facts.freeBytes };
  throw new SafeRouteError(
    'ERR_UNSUPPORTED',
    `there is no GPU here to plan for (${problem}); --device-memory 24GiB plans for one of that size`,
  );
}

async function guardsOf({ kind, path }: InspectTarget): Promise<NativeGpuRequest['guards']> {
  if (kind === 'file') throw new UsageError(`--plan takes a pair or a guard, not '${path}'`);
  if (kind === 'guard') return [await guardAt('guard', path, null)];
  const { small, large, router } = await openPair(path);
  const network = router === null ? null : (await openRouter(router)).router;
  if (large === null) return [await guardAt('guard', small, network)];
  return [await guardAt('small', small, network), await guardAt('large', large, null)];
}

async function guardAt(
  name: string,
  dir: string,
  router: NativeRouter | null,
): Promise<{ name: string; spec: NativeModelSpec; verdictTokens: number; router: NativeRouter | null }> {
  const { checkpoint, spec } = await openGuardFiles({ dir, guard: null }, { guard: null });
  return { name, spec: checkpoint.spec, verdictTokens: spec.safe.length + spec.unsafe.length, router };
}
