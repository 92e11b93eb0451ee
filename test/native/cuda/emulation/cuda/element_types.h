// native/cuda/element_types.h on the CPU, and the words of CUDA C++ that ops use: conversions, loads and functions.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "cuda/emulation/simt.h"

// One block runs at a time, so what its threads share is one variable.
#undef __shared__
#define __shared__ static
#define __grid_constant__

namespace saferoute::cuda {

struct Bf16 {
  uint16_t bits;
  operator float() const { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }
};

// e4m3
struct Fp8 {
  uint8_t bits;
  operator float() const {
    const int exponent = bits >> 3 & 15, fraction = bits & 7;
    if (exponent == 15 && fraction == 7) return NAN;
    const float magnitude =
        exponent == 0 ? std::ldexp(static_cast<float>(fraction), -9) : std::ldexp(8.0f + fraction, exponent - 10);
    return bits & 0x80 ? -magnitude : magnitude;
  }
};

}  // namespace saferoute::cuda

// Rounded to nearest even.
inline saferoute::cuda::Bf16 __float2bfloat16_rn(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return {0x7fff};
  return {static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

constexpr int __NV_SATFINITE = 0, __NV_E4M3 = 0;

// To nearest, ties to the even fraction, magnitudes beyond 448 to it. Codes rise with the magnitude.
inline uint32_t fp8_bits(float value) {
  if (std::isnan(value)) return 0x7f;
  const float magnitude = std::abs(value);
  uint8_t code = 0;
  while (code < 0x7e && magnitude > saferoute::cuda::Fp8{code}) ++code;
  if (code > 0) {
    const float above = saferoute::cuda::Fp8{code}, below = saferoute::cuda::Fp8{static_cast<uint8_t>(code - 1)};
    const bool tie = magnitude - below == above - magnitude;
    if (magnitude - below < above - magnitude || (tie && code % 2 == 1)) --code;
  }
  return code | (std::signbit(value) ? 0x80u : 0u);
}
inline uint32_t __nv_cvt_float2_to_fp8x2(float2 pair, int, int) { return fp8_bits(pair.x) | fp8_bits(pair.y) << 8; }

inline float __uint_as_float(uint32_t bits) { return std::bit_cast<float>(bits); }
inline float2 make_float2(float x, float y) { return {x, y}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline uint2 make_uint2(uint32_t x, uint32_t y) { return {x, y}; }
inline uint4 make_uint4(uint32_t x, uint32_t y, uint32_t z, uint32_t w) { return {x, y, z, w}; }

template <typename T>
T __ldg(const T* from) {
  return *from;
}
inline float __expf(float x) { return std::exp(x); }
inline float __fdividef(float x, float y) { return x / y; }

inline void __syncwarp() {
  saferoute::cuda::simt::meet_warp("__syncwarp", nullptr, [](auto) {});
}

// Lanes that would read before the warp's first keep their own.
template <typename T>
T __shfl_up_sync(unsigned mask, T value, int lanes) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  return __shfl_sync(mask, value, lane < lanes ? lane : lane - lanes);
}
