#include <algorithm>

#include "cuda/check.h"
#include "cuda/element_types.h"
#include "cuda/gemm_scale.h"

namespace saferoute::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kVector = 8;       // elements of a row that one thread scales: 16 bytes of bf16, two times 16 of f32
constexpr int kMaxRows = 65535;  // of a grid; beyond it a block takes several tokens

struct alignas(16) Bf16x8 {
  __nv_bfloat162 pairs[kVector / 2];
};

__device__ void scale_vector(float* values, float x_scale, const float (&w_scale)[kVector]) {
  float4* halves = reinterpret_cast<float4*>(values);
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    float4 four = halves[half];
    four.x *= x_scale * w_scale[4 * half];
    four.y *= x_scale * w_scale[4 * half + 1];
    four.z *= x_scale * w_scale[4 * half + 2];
    four.w *= x_scale * w_scale[4 * half + 3];
    halves[half] = four;
  }
}

__device__ void scale_vector(Bf16* values, float x_scale, const float (&w_scale)[kVector]) {
  Bf16x8* vector = reinterpret_cast<Bf16x8*>(values);
  Bf16x8 eight = *vector;
#pragma unroll
  for (int pair = 0; pair < kVector / 2; ++pair) {
    float2 two = __bfloat1622float2(eight.pairs[pair]);
    two.x *= x_scale * w_scale[2 * pair];
    two.y *= x_scale * w_scale[2 * pair + 1];
    eight.pairs[pair] = __float22bfloat162_rn(two);
  }
  *vector = eight;
}

// out[t][o] = out[t][o] · x_scale[t] · w_scale[o]. Block column: kThreads · kVector outputs; block row: tokens t, t +
// rows of the grid, … The scales of a thread's outputs stay in registers over all its tokens.
template <typename T>
__global__ void __launch_bounds__(kThreads) scale_product_kernel(T* out,  // (tokens, outputs)
                                                                 const float* __restrict__ x_scale,  // (tokens)
                                                                 const float* __restrict__ w_scale,  // (outputs)
                                                                 int tokens, int outputs) {
  const int first = (blockIdx.x * kThreads + threadIdx.x) * kVector;
  if (first >= outputs) return;
  float scales[kVector];
#pragma unroll
  for (int lane = 0; lane < kVector; ++lane) scales[lane] = w_scale[first + lane];
  for (int token = blockIdx.y; token < tokens; token += gridDim.y) {
    scale_vector(out + static_cast<int64_t>(token) * outputs + first, x_scale[token], scales);
  }
}

}  // namespace

void scale_product(void* out, const float* x_scale, const float* w_scale, OutType type, int32_t tokens, int32_t outputs,
                   cudaStream_t stream) {
  if (tokens == 0) return;
  constexpr int kBlockOutputs = kThreads * kVector;
  const dim3 grid((outputs + kBlockOutputs - 1) / kBlockOutputs, std::min(tokens, kMaxRows));
  if (type == OutType::kF32) {
    scale_product_kernel<<<grid, kThreads, 0, stream>>>(static_cast<float*>(out), x_scale, w_scale, tokens, outputs);
  } else {
    scale_product_kernel<<<grid, kThreads, 0, stream>>>(static_cast<Bf16*>(out), x_scale, w_scale, tokens, outputs);
  }
  check(cudaGetLastError(), "scale_product");
}

}  // namespace saferoute::cuda
