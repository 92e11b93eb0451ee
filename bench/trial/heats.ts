// Which contenders stand side by side. Where the memory does not hold all of them at once there are several heats, each with ours in it, so that
// every ratio is between two that were measured in turn.

export interface Need<T> {
  entry: T;
  /** Trials with the same key share a process. */
  key: string;
  bytes: number;
}

/** `ours` leads every heat. A contender that does not fit beside ours at all is given to `leaveOut`. */
export function planHeats<T>(ours: Need<T>, others: Need<T>[], budget: number, leaveOut: (entry: T) => void): T[][] {
  const heats: { entries: T[]; keys: Set<string>; bytes: number }[] = [];
  const begin = () => {
    const heat = { entries: [ours.entry], keys: new Set([ours.key]), bytes: ours.bytes };
    heats.push(heat);
    return heat;
  };
  let heat = begin();
  for (const other of others) {
    const needed = heat.keys.has(other.key) ? 0 : other.bytes;
    if (ours.bytes + other.bytes > budget && other.key !== ours.key) {
      leaveOut(other.entry);
      continue;
    }
    if (heat.bytes + needed > budget) heat = begin();
    heat.bytes += heat.keys.has(other.key) ? 0 : other.bytes;
    heat.keys.add(other.key);
    heat.entries.push(other.entry);
  }
  return heats.map(({ entries }) => entries);
}
