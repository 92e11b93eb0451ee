// A copy with a change of type: table rows as bf16 in, the residual stream as f32 out.
#include "cuda/embedding.h"
#include "cuda/launch.cuh"
#include "cuda/row_size.h"
#include "cuda/vectors.cuh"

namespace saferoute::cuda {
namespace {

constexpr int kThreads = 256;

// out[t] (hidden) = table[tokens[t]] (hidden)
__global__ void embedding_kernel(const int32_t* tokens, const Bf16* table, float* out, int hidden) {
  const int64_t token = blockIdx.x;
  const int i = (blockIdx.y * kThreads + threadIdx.x) * kVectorSize;
  if (i >= hidden) return;
  store8(load8(table + static_cast<int64_t>(tokens[token]) * hidden + i), out + token * hidden + i);
}

}  // namespace

void embedding(const int32_t* tokens, const Bf16* table, float* out, int token_count, int hidden, cudaStream_t stream) {
  check_row_size("embedding", hidden);
  if (token_count == 0) return;
  const dim3 grid(token_count, (hidden / kVectorSize + kThreads - 1) / kThreads);
  launch("embedding", embedding_kernel, grid, kThreads, stream, tokens, table, out, hidden);
}

}  // namespace saferoute::cuda
