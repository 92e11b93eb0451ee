// IEEE half-precision weights, widened to f32 as they are read.
#pragma once

#include "cpu/kernels/lanes.h"

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

// Exact for every finite half.
inline float load_one(const uint16_t* from) {
  const uint32_t magnitude = (*from & 0x7fffu) << 13;  // exponent and mantissa in f32's places
  float value;
  __builtin_memcpy(&value, &magnitude, sizeof(value));
  value *= 0x1p112f;  // between the two formats' biases
  return *from & 0x8000u ? -value : value;
}

inline Lanes load(const uint16_t* from) {
#if defined(__AVX512F__)
  // The mask keeps GCC's bug 105593 away, seen with 12.2: without it the compiler's own header is said to use an
  // uninitialised register. Compilers that do not warn can do without.
  constexpr __mmask16 kAll = 0xffff;
  return (Lanes)_mm512_maskz_cvtph_ps(kAll, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
#elif defined(__F16C__)
  return (Lanes)_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
#else
  Lanes lanes{};
  for (int i = 0; i < kLanes; ++i) lanes[i] = load_one(from + i);
  return lanes;
#endif
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
