// Rounding to bf16, a tile's row at a time.
#pragma once

#ifdef __AVX512BF16__  // elsewhere nobody has a use for it

#include <immintrin.h>

#include "cpu/kernels/lanes.h"

namespace saferoute::cpu::amx {

static_assert(kLanes == 16);

// The next 32 elements of x, of which `left` are there, times `factor`; zeros where there are none. To nearest even.
inline __m512bh bf16_row(const float* x, int64_t left, float factor) {
  const int64_t low = left < kLanes ? left : kLanes;
  const int64_t high = left - low < kLanes ? left - low : kLanes;
  const Lanes first = load(x, low) * factor;
  const Lanes second = high > 0 ? load(x + kLanes, high) * factor : Lanes{};
  return _mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
}

}  // namespace saferoute::cpu::amx

#endif
