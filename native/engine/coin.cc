#include "engine/coin.h"

namespace saferoute::engine {
namespace {

// Output number `sequence` of splitmix64 (Steele, Lea, Flood 2014) seeded with `seed`. The generator's state only ever
// grows by a constant, so any output can be had without the ones before it.
uint64_t splitmix64(uint64_t seed, uint64_t sequence) {
  uint64_t z = seed + (sequence + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

}  // namespace

double throw_coin(CoinPurpose purpose, uint64_t seed, uint64_t sequence) {
  // The random rule's coins are the plain generator's. The others' seeds go through it, since two seeds that differ by
  // a multiple of its constant would give the same numbers, shifted.
  const uint64_t own = purpose == CoinPurpose::kRandomRule ? seed : splitmix64(~seed, static_cast<uint64_t>(purpose));
  return static_cast<double>(splitmix64(own, sequence) >> 11) * 0x1p-53;
}

}  // namespace saferoute::engine
