/** Seeded coins, the same on every machine: what is drawn at random can be drawn again. */

/** `count` numbers in [0, 1): the coins that the engine's random rule throws for the first requests after a load with this seed. */
export function coins(count: number, seed: number): Float64Array {
  return Float64Array.from({ length: count }, (_, place) => unitInterval(splitmix64(BigInt(seed), BigInt(place))));
}

/** Output number `sequence` of splitmix64 (Steele, Lea, Flood 2014) seeded with `seed`. */
function splitmix64(seed: bigint, sequence: bigint): bigint {
  const word = (value: bigint) => BigInt.asUintN(64, value);
  let z = word(seed + (sequence + 1n) * 0x9e3779b97f4a7c15n);
  z = word((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = word((z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}

/** The upper 53 bits as a number in [0, 1). */
function unitInterval(bits: bigint): number {
  return Number(bits >> 11n) / 2 ** 53;
}
