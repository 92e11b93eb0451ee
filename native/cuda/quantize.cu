// One block to a row, which it holds in registers: the row is read once.
#include "cuda/launch.cuh"
#include "cuda/quantize.h"
#include "cuda/row_vectors.cuh"

namespace saferoute::cuda {
namespace {

// out (rows, size) = x (rows, size) by each row's largest magnitude
template <int kVectors>
__global__ void __launch_bounds__(kMaxRowThreads) quantize_kernel(const Bf16* x, Fp8Rows out, int size) {
  const int row = blockIdx.x;
  Float8 values[kVectors] = {};
  RowStatistics statistics;
  for_row_vectors<kVectors>(size, [&](int slot, int i) {
    values[slot] = load8(x + static_cast<int64_t>(row) * size + i);
    statistics.magnitude = max_or_nan(statistics.magnitude, magnitude(values[slot]));
  });
  quantize_row<kVectors>(values, block_statistics(statistics).magnitude, 1.0f, out, row, size);
}

}  // namespace

void quantize(const Bf16* x, Fp8Rows out, int rows, int size, cudaStream_t stream) {
  check_row_size("quantize", size);
  if (rows == 0) return;
  with_vectors(size, [&](auto vectors) {
    launch("quantize", quantize_kernel<vectors()>, dim3(rows), row_threads(size, vectors()), stream, x, out, size);
  });
}

}  // namespace saferoute::cuda
