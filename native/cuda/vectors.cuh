// Eight elements of a row at a time: the 16 bytes of bf16 that a thread moves at once, as f32 in registers.
#pragma once

#include <cstdint>

#include "cuda/element_types.h"
#include "cuda/tensor_core.cuh"

namespace saferoute::cuda {

inline constexpr int kVectorSize = 8;

struct Float8 {
  float at[kVectorSize];
};

// The two bf16 of one register as f32: its lower half is the element before.
__device__ inline float2 unpack(uint32_t pair) {
  return make_float2(__uint_as_float(pair << 16), __uint_as_float(pair & 0xffff0000u));
}

__device__ inline Float8 unpack(uint4 bits) {
  const float2 a = unpack(bits.x), b = unpack(bits.y), c = unpack(bits.z), d = unpack(bits.w);
  return {{a.x, a.y, b.x, b.y, c.x, c.y, d.x, d.y}};
}

__device__ inline uint4 pack(const Float8& v) {
  return make_uint4(bf16_pair(v.at[0], v.at[1]), bf16_pair(v.at[2], v.at[3]), bf16_pair(v.at[4], v.at[5]),
                    bf16_pair(v.at[6], v.at[7]));
}

__device__ inline Float8 load8(const Bf16* x) { return unpack(*reinterpret_cast<const uint4*>(x)); }

__device__ inline Float8 load8(const float* x) {
  const float4 low = reinterpret_cast<const float4*>(x)[0], high = reinterpret_cast<const float4*>(x)[1];
  return {{low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w}};
}

__device__ inline void store8(const Float8& v, Bf16* out) { *reinterpret_cast<uint4*>(out) = pack(v); }

__device__ inline void store8(const Float8& v, float* out) {
  reinterpret_cast<float4*>(out)[0] = make_float4(v.at[0], v.at[1], v.at[2], v.at[3]);
  reinterpret_cast<float4*>(out)[1] = make_float4(v.at[4], v.at[5], v.at[6], v.at[7]);
}

// Rounds to nearest even; what is beyond kFp8Max becomes it, NaN stays NaN.
__device__ inline void store8(const Float8& v, Fp8* out) {
  uint32_t words[2];
  for (int half = 0; half < 2; ++half) {
    const float* at = v.at + 4 * half;
    const uint32_t low = __nv_cvt_float2_to_fp8x2(make_float2(at[0], at[1]), __NV_SATFINITE, __NV_E4M3);
    const uint32_t high = __nv_cvt_float2_to_fp8x2(make_float2(at[2], at[3]), __NV_SATFINITE, __NV_E4M3);
    words[half] = low | high << 16;
  }
  *reinterpret_cast<uint2*>(out) = make_uint2(words[0], words[1]);
}

}  // namespace saferoute::cuda
