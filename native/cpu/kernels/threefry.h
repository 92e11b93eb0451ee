// Random bits as a function of where they are wanted: Threefry2x32 with 20 rounds (Salmon et al., "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011).
#pragma once

#include "cpu/kernels/lanes.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

typedef uint32_t BitLanes __attribute__((vector_size(kLanes * sizeof(uint32_t))));

struct BitPair {
  BitLanes first, second;
};

template <int kRotation>
inline void threefry_round(BitPair& x) {
  x.first += x.second;
  x.second = (x.second << kRotation | x.second >> (32 - kRotation)) ^ x.first;
}

template <int kA, int kB, int kC, int kD>
inline void threefry_rounds(BitPair& x, uint32_t key_first, uint32_t key_second, uint32_t injection) {
  threefry_round<kA>(x);
  threefry_round<kB>(x);
  threefry_round<kC>(x);
  threefry_round<kD>(x);
  x.first += key_first;
  x.second += key_second + injection;
}

// The cipher of the counter `x` under `key` (2).
inline BitPair threefry(const uint32_t* key, BitPair x) {
  const uint32_t a = key[0];
  const uint32_t b = key[1];
  const uint32_t c = 0x1bd11bda ^ a ^ b;
  x.first += a;
  x.second += b;
  threefry_rounds<13, 15, 26, 6>(x, b, c, 1);
  threefry_rounds<17, 29, 16, 24>(x, c, a, 2);
  threefry_rounds<13, 15, 26, 6>(x, a, b, 3);
  threefry_rounds<17, 29, 16, 24>(x, b, c, 4);
  threefry_rounds<13, 15, 26, 6>(x, c, a, 5);
  return x;
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
