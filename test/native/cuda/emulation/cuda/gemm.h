// native/cuda/gemm.h on the CPU: the products as they are written down, summed in f32.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "cuda/element_types.h"
#include "cuda/gemm_shapes.h"

namespace saferoute::cuda {

class Gemm {
 public:
  void bf16(const Bf16* x, const Bf16* w, void* out, OutType, int32_t tokens, int32_t outputs, int32_t inputs,
            cudaStream_t) {
    multiply(x, nullptr, w, nullptr, static_cast<Bf16*>(out), tokens, outputs, inputs);
  }

  void fp8(const Fp8* x, const float* x_scale, const Fp8* w, const float* w_scale, void* out, OutType, int32_t tokens,
           int32_t outputs, int32_t inputs, cudaStream_t) {
    multiply(x, x_scale, w, w_scale, static_cast<Bf16*>(out), tokens, outputs, inputs);
  }

 private:
  // Every product of a decoder leaves bf16.
  template <typename T>
  static void multiply(const T* x, const float* x_scale, const T* w, const float* w_scale, Bf16* out, int32_t tokens,
                       int32_t outputs, int32_t inputs) {
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t o = 0; o < outputs; ++o) {
        float sum = 0;
        for (int64_t i = 0; i < inputs; ++i) {
          sum += static_cast<float>(x[t * inputs + i]) * static_cast<float>(w[o * inputs + i]);
        }
        out[t * outputs + o] = __float2bfloat16_rn(x_scale == nullptr ? sum : sum * x_scale[t] * w_scale[o]);
      }
    }
  }
};

}  // namespace saferoute::cuda
