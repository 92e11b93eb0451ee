// The scales of an FP8 product, where the product itself cannot apply them.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "cuda/gemm_shapes.h"

namespace saferoute::cuda {

// out[t][o] *= x_scale[t] · w_scale[o], computed in f32. `outputs` is a multiple of 8.
void scale_product(void* out,             // (tokens, outputs), floats or Bf16s as `type` says
                   const float* x_scale,  // (tokens)
                   const float* w_scale,  // (outputs)
                   OutType type, int32_t tokens, int32_t outputs, cudaStream_t stream);

}  // namespace saferoute::cuda
