/** On which device a load's guards run, and in which precision: what was asked for against what the machine has. */

import { warnOfDevice } from './diagnostics.js';
import { fromNative, SafeRouteError } from './errors.js';
import type { NativeAddon } from './native.js';
import type { NativeCudaDevice } from './native-cuda.js';
import type { EngineSettings } from './validate-options.js';

/** Settings whose device is decided. */
export interface SettledSettings extends EngineSettings {
  device: 'cpu' | 'cuda';
}

/**
 * 'auto' is the GPU where guards can run on it. Where a driver is there and they cannot, the process is told why. Throws ERR_UNSUPPORTED where
 * the GPU was asked for and cannot be had, or not in the precision asked for.
 */
export async function settleDevice(settings: EngineSettings, addon: NativeAddon): Promise<SettledSettings> {
  const { device } = settings;
  if (device === 'cpu') return { ...settings, device };
  const cuda = await addon.cudaDevice();
  if (device === 'cuda') {
    requireUsable(cuda, settings.precision);
    return { ...settings, device };
  }
  if (cuda.facts !== null) return { ...settings, device: 'cuda', precision: 'bf16' };
  if (cuda.driver) warnOfDevice(`guards run on the CPU: ${cuda.problem}`);
  return { ...settings, device: 'cpu' };
}

/** Runs `load` with `settled`; where 'auto' was `asked` for and the GPU fails it, such as for want of memory, again on the CPU. */
export async function withFallback<T>(
  asked: EngineSettings,
  settled: SettledSettings,
  load: (settings: SettledSettings) => Promise<T>,
): Promise<T> {
  try {
    return await load(settled);
  } catch (cause) {
    const error = fromNative(cause);
    const gpuFailed = error instanceof SafeRouteError && kGpuFailures.has(error.code);
    if (asked.device !== 'auto' || settled.device !== 'cuda' || !gpuFailed) throw error;
    warnOfDevice(`guards run on the CPU: ${error.message}`);
    return load({ ...asked, device: 'cpu' });
  }
}

const kGpuFailures: ReadonlySet<string> = new Set(['ERR_MEMORY', 'ERR_UNSUPPORTED', 'ERR_BACKEND']);

function requireUsable({ facts, problem }: NativeCudaDevice, precision: EngineSettings['precision']): void {
  if (facts === null) throw new SafeRouteError('ERR_UNSUPPORTED', `options.device is 'cuda': ${problem}`);
  if (precision !== 'fp8' || facts.fp8) return;
  throw new SafeRouteError(
    'ERR_UNSUPPORTED',
    `options.precision is 'fp8', which needs compute capability 8.9; ${facts.name} has ${facts.computeMajor}.${facts.computeMinor}`,
  );
}
