// silu(gate) * up, vector by vector; for FP8 one block to a token, which holds its products until their largest
// magnitude is known.
#include "cuda/launch.cuh"
#include "cuda/row_vectors.cuh"
#include "cuda/swiglu.h"

namespace saferoute::cuda {
namespace {

constexpr int kThreads = 256;

// The exponential and the division of the fast kind err by a few units of f32's last place, far below what rounding to
// bf16 costs. A gate so low that exp overflows gives 0, as it should.
__device__ Float8 gated(const Bf16* gate, const Bf16* up) {
  const Float8 g = load8(gate), u = load8(up);
  Float8 product;
  for (int e = 0; e < kVectorSize; ++e) {
    product.at[e] = __fdividef(g.at[e], 1.0f + __expf(-g.at[e])) * u.at[e];
  }
  return product;
}

// out (tokens, intermediate) = silu(gate) * up of gate_up (tokens, 2 * intermediate)
__global__ void swiglu_kernel(const Bf16* gate_up, Bf16* out, int intermediate) {
  const int64_t token = blockIdx.x;
  const int i = (blockIdx.y * kThreads + threadIdx.x) * kVectorSize;
  if (i >= intermediate) return;
  const Bf16* gate = gate_up + token * 2 * intermediate + i;
  store8(gated(gate, gate + intermediate), out + token * intermediate + i);
}

template <int kVectors>
__global__ void __launch_bounds__(kMaxRowThreads)
    swiglu_quantize_kernel(const Bf16* gate_up, Fp8Rows out, int intermediate) {
  const int token = blockIdx.x;
  const Bf16* gate = gate_up + static_cast<int64_t>(token) * 2 * intermediate;
  Float8 products[kVectors] = {};
  RowStatistics statistics;
  for_row_vectors<kVectors>(intermediate, [&](int slot, int i) {
    products[slot] = gated(gate + i, gate + intermediate + i);
    statistics.magnitude = max_or_nan(statistics.magnitude, magnitude(products[slot]));
  });
  quantize_row<kVectors>(products, block_statistics(statistics).magnitude, 1.0f, out, token, intermediate);
}

}  // namespace

void swiglu(const Bf16* gate_up, Bf16* out, int tokens, int intermediate, cudaStream_t stream) {
  check_row_size("swiglu", intermediate);
  if (tokens == 0) return;
  const int vectors = intermediate / kVectorSize;
  const dim3 grid(tokens, (vectors + kThreads - 1) / kThreads);
  launch("swiglu", swiglu_kernel, grid, kThreads, stream, gate_up, out, intermediate);
}

void swiglu(const Bf16* gate_up, Fp8Rows out, int tokens, int intermediate, cudaStream_t stream) {
  check_row_size("swiglu", intermediate);
  if (tokens == 0) return;
  with_vectors(intermediate, [&](auto vectors) {
    launch("swiglu", swiglu_quantize_kernel<vectors()>, dim3(tokens), row_threads(intermediate, vectors()), stream,
           gate_up, out, intermediate);
  });
}

}  // namespace saferoute::cuda
