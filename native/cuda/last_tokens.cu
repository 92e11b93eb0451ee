// One block to a row: two copies from the row's last token.
#include "cuda/last_tokens.h"
#include "cuda/launch.cuh"

namespace saferoute::cuda {
namespace {

constexpr int kThreads = 256;

// `vectors` words of 16 bytes, or as many zeros.
__device__ void copy_row(const uint4* from, uint4* to, int vectors, bool present) {
  for (int i = threadIdx.x; i < vectors; i += kThreads) to[i] = present ? from[i] : uint4{};
}

__global__ void gather_last_tokens_kernel(const float* x, const Bf16* attention, const int32_t* row_offsets,
                                          float* x_last, Bf16* attention_last, int hidden, int query_size) {
  const int64_t row = blockIdx.x;
  const int64_t token = row_offsets[row + 1] - 1;
  const bool present = token >= row_offsets[row];
  copy_row(reinterpret_cast<const uint4*>(x + token * hidden), reinterpret_cast<uint4*>(x_last + row * hidden),
           hidden / 4, present);
  copy_row(reinterpret_cast<const uint4*>(attention + token * query_size),
           reinterpret_cast<uint4*>(attention_last + row * query_size), query_size / 8, present);
}

}  // namespace

void gather_last_tokens(const float* x, const Bf16* attention, const int32_t* row_offsets, float* x_last,
                        Bf16* attention_last, int rows, int hidden, int query_size, cudaStream_t stream) {
  if (rows == 0) return;
  launch("gather_last_tokens", gather_last_tokens_kernel, dim3(rows), kThreads, stream, x, attention, row_offsets,
         x_last, attention_last, hidden, query_size);
}

}  // namespace saferoute::cuda
