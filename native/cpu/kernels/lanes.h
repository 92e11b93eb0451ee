// The vector type of the instruction set that this source is being compiled for. Written with the compilers' vector
// extension, so that one text serves every CPU. Everything lives in a namespace of the variant: see cpu/kernels.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif

typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));
typedef int32_t IntLanes __attribute__((vector_size(kLanes * sizeof(int32_t))));
typedef uint8_t ByteLanes __attribute__((vector_size(kLanes)));

inline Lanes load(const float* from) {
  Lanes lanes;
  __builtin_memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}

inline void store(Lanes lanes, float* to) { __builtin_memcpy(to, &lanes, sizeof(lanes)); }

// The first `count` lanes; the others are 0, or stay unwritten.
inline Lanes load(const float* from, int64_t count) {
  if (count == kLanes) return load(from);
  Lanes lanes{};
  __builtin_memcpy(&lanes, from, static_cast<size_t>(count) * sizeof(float));
  return lanes;
}

inline void store(Lanes lanes, float* to, int64_t count) {
  if (count == kLanes) return store(lanes, to);
  __builtin_memcpy(to, &lanes, static_cast<size_t>(count) * sizeof(float));
}

inline IntLanes load(const int32_t* from, int64_t count) {
  IntLanes lanes{};
  __builtin_memcpy(&lanes, from, static_cast<size_t>(count) * sizeof(int32_t));
  return lanes;
}

// Calls body(i, count) for every vector of an array: kLanes elements from i on, at the end perhaps fewer.
template <typename F>
inline void for_lanes(int64_t size, F&& body) {
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) body(i, kLanes);
  if (i < size) body(i, size - i);
}

inline Lanes to_float(IntLanes lanes) { return __builtin_convertvector(lanes, Lanes); }

// Subtracting zero keeps every value, -0 and NaN among them, so compilers reduce this to a broadcast.
inline Lanes broadcast(float value) { return value - Lanes{}; }

inline Lanes max(Lanes a, Lanes b) { return a > b ? a : b; }

// In a fixed order: halves are added until one lane is left.
inline float sum(Lanes lanes) {
  float values[kLanes];
  store(lanes, values);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) values[i] += values[i + width];
  }
  return values[0];
}

// e^x to about one unit in the last place for x <= 88, e^88 above. Below the smallest normal result it is 0, which
// makes exp(-infinity) exact; exp(0) is exactly 1. NaN stays NaN.
inline Lanes exp(Lanes x) {
  constexpr float kLog2E = 0x1.715476p+0f;
  constexpr float kLn2High = 0x1.62e4p-1f;  // 15 bits, so that its products with the exponents below are exact
  constexpr float kLn2Low = 0x1.7f7d1cp-20f;
  constexpr float kRound = 0x1.8p23f;  // adding it leaves the nearest integer in the low mantissa bits
  constexpr float kLowest = -87.33654f;
  const Lanes bounded = x > broadcast(88.0f) ? broadcast(88.0f) : x;
  const Lanes shifted = bounded * kLog2E + kRound;
  const Lanes exponent = shifted - kRound;
  const Lanes r = bounded - exponent * kLn2High - exponent * kLn2Low;  // |r| <= ln(2) / 2
  // Taylor's series to the seventh power; the eighth is below 2^-27 for such r.
  Lanes p = broadcast(1.0f / 5040.0f);
  p = p * r + 1.0f / 720.0f;
  p = p * r + 1.0f / 120.0f;
  p = p * r + 1.0f / 24.0f;
  p = p * r + 1.0f / 6.0f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  const Lanes power = (Lanes)(((IntLanes)shifted + 127) << 23);
  return x < broadcast(kLowest) ? Lanes{} : p * power;
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
