// Sums and maxima over the threads of a group, a warp or a block. The order is fixed by the thread count alone, so that
// equal inputs give equal bits.
#pragma once

#include <cstdint>

namespace saferoute::cuda {

inline constexpr int kWarpSize = 32;
inline constexpr unsigned kWholeWarp = 0xffffffffu;

// NaN where one of them is NaN, unlike fmaxf.
__device__ inline float max_or_nan(float a, float b) { return a > b || a != a ? a : b; }

// Over `lanes` neighbouring lanes, a power of two, in all of them. A whole warp calls it.
__device__ inline float lane_sum(float value, int lanes = kWarpSize) {
  for (int offset = lanes / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(kWholeWarp, value, offset);
  return value;
}

__device__ inline float lane_max(float value) {
  for (int offset = kWarpSize / 2; offset > 0; offset /= 2) {
    value = max_or_nan(value, __shfl_xor_sync(kWholeWarp, value, offset));
  }
  return value;
}

// What a row is measured by in one pass over it.
struct RowStatistics {
  float sum = 0;        // of squares
  float magnitude = 0;  // largest, or NaN
};

// Over a one-dimensional block of whole warps; the outcome is in every thread. Every thread calls it, once to a kernel:
// its shared memory is not guarded against a second use.
__device__ inline RowStatistics block_statistics(RowStatistics mine) {
  __shared__ RowStatistics of_warp[kWarpSize];
  const int lane = threadIdx.x % kWarpSize, warp = threadIdx.x / kWarpSize, warps = blockDim.x / kWarpSize;
  mine = {lane_sum(mine.sum), lane_max(mine.magnitude)};
  if (lane == 0) of_warp[warp] = mine;
  __syncthreads();
  const RowStatistics all = lane < warps ? of_warp[lane] : RowStatistics{};
  return {lane_sum(all.sum), lane_max(all.magnitude)};
}

// 1 / sqrt(sum_of_squares / size + eps), but NaN for an infinite sum: finite elements whose squares overflow would
// become zeros.
__device__ inline float inverse_rms(float sum_of_squares, int size, float eps) {
  return 1.0f / sqrtf(sum_of_squares / static_cast<float>(size) + eps) + (sum_of_squares - sum_of_squares);
}

}  // namespace saferoute::cuda
