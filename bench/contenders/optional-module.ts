// Loads a package that only the bench uses and that may not be installed.
import { Unavailable } from '../unavailable.js';

/** The module's exports, as `T`. Throws Unavailable where it is not installed. */
export async function importOptional<T>(name: string): Promise<T> {
  try {
    return (await import(name)) as T;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new Unavailable(`${name} is not installed: npm run bench:install`, { cause });
  }
}
