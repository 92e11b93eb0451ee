// One block to a token, whose row it holds in registers: x, delta and weight are read once, x and out written once.
#include <type_traits>

#include "cuda/launch.cuh"
#include "cuda/rms_norm.h"
#include "cuda/row_vectors.cuh"

namespace saferoute::cuda {
namespace {

struct NoDelta {};

// x (tokens, hidden) += delta (tokens, hidden); out (tokens, hidden) = weight * x * inverse_rms(x). With NoDelta x is
// only read. weight * x is kept instead of x, so that the largest magnitude, in which inverse_rms cancels, needs no
// second reduction.
template <int kVectors, typename Delta, typename Out>
__global__ void __launch_bounds__(kMaxRowThreads)
    rms_norm_kernel(float* x, const Delta* delta, const float* weight, Out out, int hidden, float eps) {
  const int token = blockIdx.x;
  const int64_t at = static_cast<int64_t>(token) * hidden;
  Float8 weighted[kVectors] = {};
  RowStatistics statistics;
  for_row_vectors<kVectors>(hidden, [&](int slot, int i) {
    Float8 sum = load8(x + at + i);
    const Float8 factors = load8(weight + i);
    if constexpr (!std::is_same_v<Delta, NoDelta>) {
      const Float8 added = load8(delta + at + i);
      for (int e = 0; e < kVectorSize; ++e) sum.at[e] += added.at[e];
      store8(sum, x + at + i);
    }
    for (int e = 0; e < kVectorSize; ++e) {
      statistics.sum += sum.at[e] * sum.at[e];
      weighted[slot].at[e] = sum.at[e] * factors.at[e];
    }
    statistics.magnitude = max_or_nan(statistics.magnitude, magnitude(weighted[slot]));
  });
  statistics = block_statistics(statistics);
  const float factor = inverse_rms(statistics.sum, hidden, eps);
  if constexpr (std::is_same_v<Out, Fp8Rows>) {
    quantize_row<kVectors>(weighted, statistics.magnitude, factor, out, token, hidden);
  } else {
    for_row_vectors<kVectors>(hidden, [&](int slot, int i) {
      for (float& element : weighted[slot].at) element *= factor;
      store8(weighted[slot], out + at + i);
    });
  }
}

template <typename Delta, typename Out>
void run(float* x, const Delta* delta, const float* weight, Out out, int tokens, int hidden, float eps,
         cudaStream_t stream) {
  check_row_size("rms_norm", hidden);
  if (tokens == 0) return;
  with_vectors(hidden, [&](auto vectors) {
    launch("rms_norm", rms_norm_kernel<vectors(), Delta, Out>, dim3(tokens), row_threads(hidden, vectors()), stream, x,
           delta, weight, out, hidden, eps);
  });
}

constexpr const NoDelta* kNoDelta = nullptr;

}  // namespace

// The kernel writes x only where there is a delta.
void rms_norm(const float* x, const float* weight, Bf16* out, int tokens, int hidden, float eps, cudaStream_t stream) {
  run(const_cast<float*>(x), kNoDelta, weight, out, tokens, hidden, eps, stream);
}

void rms_norm(const float* x, const float* weight, Fp8Rows out, int tokens, int hidden, float eps,
              cudaStream_t stream) {
  run(const_cast<float*>(x), kNoDelta, weight, out, tokens, hidden, eps, stream);
}

void add_rms_norm(float* x, const Bf16* delta, const float* weight, Bf16* out, int tokens, int hidden, float eps,
                  cudaStream_t stream) {
  run(x, delta, weight, out, tokens, hidden, eps, stream);
}

void add_rms_norm(float* x, const float* delta, const float* weight, Bf16* out, int tokens, int hidden, float eps,
                  cudaStream_t stream) {
  run(x, delta, weight, out, tokens, hidden, eps, stream);
}

void add_rms_norm(float* x, const Bf16* delta, const float* weight, Fp8Rows out, int tokens, int hidden, float eps,
                  cudaStream_t stream) {
  run(x, delta, weight, out, tokens, hidden, eps, stream);
}

void add_rms_norm(float* x, const float* delta, const float* weight, Fp8Rows out, int tokens, int hidden, float eps,
                  cudaStream_t stream) {
  run(x, delta, weight, out, tokens, hidden, eps, stream);
}

}  // namespace saferoute::cuda
