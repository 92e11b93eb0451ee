// A block that holds one row in its registers, kVectors vectors to a thread, so that a row is read once however often
// it is passed over.
#pragma once

#include <cstdint>
#include <type_traits>

#include "cuda/fp8_rows.h"
#include "cuda/reductions.cuh"
#include "cuda/row_size.h"
#include "cuda/vectors.cuh"

namespace saferoute::cuda {

// Rows up to this size take one vector to a thread, longer ones kManyVectors.
inline constexpr int kOneVectorRow = 4096;
inline constexpr int kManyVectors = 4;

// Threads of the largest block: kernels promise it, so that the compiler leaves each of them registers enough.
inline constexpr int kMaxRowThreads = 1024;
static_assert(kMaxRowSize <= kMaxRowThreads * kManyVectors * kVectorSize);

// Threads of a block for a row of `size` elements: whole warps.
inline int row_threads(int size, int vectors) {
  const int per_warp = kWarpSize * kVectorSize * vectors;
  return (size + per_warp - 1) / per_warp * kWarpSize;
}

// Calls body(slot, i) for each of this thread's vectors: elements i .. i + 7 of the row.
template <int kVectors, typename Body>
__device__ inline void for_row_vectors(int size, Body&& body) {
#pragma unroll
  for (int slot = 0; slot < kVectors; ++slot) {
    const int i = (slot * blockDim.x + threadIdx.x) * kVectorSize;
    if (i < size) body(slot, i);
  }
}

__device__ inline float magnitude(const Float8& v) {
  float largest = 0;
  for (float element : v.at) largest = max_or_nan(largest, fabsf(element));
  return largest;
}

// A row whose largest magnitude is below this is a row of zeros: kFp8Max over it would leave f32.
inline constexpr float kLeastMagnitude = 1e-30f;

// values * outer, quantised by their largest magnitude, in which `outer` cancels. Every thread calls it; one writes the
// scale.
template <int kVectors>
__device__ inline void quantize_row(const Float8 (&values)[kVectors], float largest, float outer, const Fp8Rows& out,
                                    int row, int size) {
  const bool zeros = largest < kLeastMagnitude;  // false for NaN
  const float factor = zeros ? 0.0f : kFp8Max / largest;
  Fp8* to = out.values + static_cast<int64_t>(row) * size;
  for_row_vectors<kVectors>(size, [&](int slot, int i) {
    Float8 scaled;
    for (int e = 0; e < kVectorSize; ++e) scaled.at[e] = values[slot].at[e] * factor;
    store8(scaled, to + i);
  });
  if (threadIdx.x > 0) return;
  const float not_finite = largest - largest;  // NaN for NaN and infinity, else 0
  out.scales[row] = (zeros ? 1.0f : largest * (1.0f / kFp8Max)) * outer + not_finite;
}

// Rows of one vector to a thread or of kManyVectors, as constants of the kernel: calls launch(constant).
template <typename Launch>
inline void with_vectors(int size, Launch&& launch) {
  if (size <= kOneVectorRow) {
    launch(std::integral_constant<int, 1>{});
  } else {
    launch(std::integral_constant<int, kManyVectors>{});
  }
}

}  // namespace saferoute::cuda
