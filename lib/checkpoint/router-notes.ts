/** What a router file of ours says of itself, in the metadata of its safetensors header: one side writes it, the other reads it. */

import { refuse, refuseUnsupported, shown } from './refusal.js';
import { isJsonObject } from './strict-json.js';

export const kRouterFormat = 'saferoute-router/1';

const kRecipes = ['official', 'dynaguard', 'benefit'] as const;

/** How the rows of a features file were cut into those that the router learnt from and those that were kept from it. */
export interface RouterSplit {
  /** Of the table (`digestOf`). */
  digest: string;
  seed: number;
  /** Share of the rows that was kept. */
  validShare: number;
}

/** null where the file does not say. */
export interface RouterNotes {
  recipe: (typeof kRecipes)[number] | null;
  threshold: number | null;
  split: RouterSplit | null;
}

export const kUnnoted: RouterNotes = { recipe: null, threshold: null, split: null };

/**
 * Files of others say nothing, whatever else their metadata hold. Throws ERR_UNSUPPORTED for a format or recipe of a later version, since
 * a router that means something else must not be taken for one that says how hard a row is; ERR_CHECKPOINT for a threshold or a split that is
 * none.
 */
export function readRouterNotes(path: string, metadata: ReadonlyMap<string, string>): RouterNotes {
  const format = metadata.get('format') ?? '';
  if (!format.startsWith('saferoute-router/')) return kUnnoted;
  if (format !== kRouterFormat)
    refuseUnsupported(path, `has the format ${shown(format)}; this build reads '${kRouterFormat}'`);
  const given = metadata.get('recipe');
  const recipe = kRecipes.find((name) => name === given);
  if (recipe === undefined) {
    return refuseUnsupported(
      path,
      `was trained by the recipe ${shown(given)}; this build knows ${kRecipes.join(', ')}`,
    );
  }
  const text = metadata.get('threshold');
  const threshold = text?.trim() ? Number(text) : Number.NaN;
  if (!(threshold >= 0 && threshold <= 1))
    refuse(path, `its threshold is ${shown(text)}; it must be a number from 0 to 1`);
  return { recipe, threshold, split: readSplit(path, metadata.get('split')) };
}

function readSplit(path: string, text: string | undefined): RouterSplit | null {
  if (text === undefined) return null;
  const value = parsed(text);
  const { digest, seed, validShare } = isJsonObject(value) ? value : {};
  const whole = typeof digest === 'string' && Number.isSafeInteger(seed) && typeof validShare === 'number';
  if (whole && validShare >= 0 && validShare < 1) return { digest, seed: seed as number, validShare };
  return refuse(path, `its split is ${shown(text)}; it must name digest, seed and validShare`);
}

/** undefined where it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
