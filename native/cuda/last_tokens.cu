// One block to a row: a copy of the row's last token.
#include "cuda/last_tokens.h"
#include "cuda/launch.cuh"

namespace saferoute::cuda {
namespace {

constexpr int kThreads = 256;

// last[r] (hidden) = x[last token of row r] (hidden), or zeros
__global__ void gather_last_tokens_kernel(const float* x, const int32_t* row_offsets, float* last, int hidden) {
  const int64_t row = blockIdx.x;
  const int64_t token = row_offsets[row + 1] - 1;
  const bool present = token >= row_offsets[row];
  const auto* const from = reinterpret_cast<const float4*>(x + token * hidden);
  auto* const to = reinterpret_cast<float4*>(last + row * hidden);
  for (int i = threadIdx.x; i < hidden / 4; i += kThreads) to[i] = present ? from[i] : float4{};
}

}  // namespace

void gather_last_tokens(const float* x, const int32_t* row_offsets, float* last, int rows, int hidden,
                        cudaStream_t stream) {
  if (rows == 0) return;
  launch("gather_last_tokens", gather_last_tokens_kernel, dim3(rows), kThreads, stream, x, row_offsets, last, hidden);
}

}  // namespace saferoute::cuda
