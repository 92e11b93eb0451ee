// Transposition of a square of vectors in registers.
#pragma once

#include <utility>  // integer_sequence, a type without functions: see cpu/kernels.h

#include "cpu/kernels/lanes.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

// Swaps the lanes of a that have kWidth in their number with those of b that lack it.
template <int kWidth, int... kLane>
inline void exchange(Lanes& a, Lanes& b, std::integer_sequence<int, kLane...>) {
  const Lanes low = __builtin_shufflevector(a, b, ((kLane & kWidth) != 0 ? kLanes + kLane - kWidth : kLane)...);
  b = __builtin_shufflevector(a, b, ((kLane & kWidth) != 0 ? kLanes + kLane : kLane + kWidth)...);
  a = low;
}

// square[i][j] becomes square[j][i]: quadrants change places, then the quadrants of each.
template <int kWidth = kLanes / 2>
inline void transpose(Lanes (&square)[kLanes]) {
  for (int i = 0; i < kLanes; ++i) {
    if ((i & kWidth) == 0) exchange<kWidth>(square[i], square[i + kWidth], std::make_integer_sequence<int, kLanes>{});
  }
  if constexpr (kWidth > 1) transpose<kWidth / 2>(square);
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
