// What one warp does with 16 queries and a block of keys in shared memory: scores, softmax, weighted sum of values.
//
// A tile in shared memory is (rows, kDim) of bf16. The 16-byte vectors of a row are permuted by the row's number, so
// that the eight rows of a matrix that is read at once lie in different banks.
#pragma once

#include <cstdint>

#include "cuda/tensor_core.cuh"

namespace saferoute::cuda {

// Sums over some keys of 16 queries, as a lane of multiply_add holds them: index 0 and 1 of the pairs are query lane /
// 4 and the one 8 further.
template <int kDims>
struct AttentionSums {
  float values[kDims / 8][4];  // sum of value · 2^((score - largest) · scale_log2)
  float largest[2];            // score, as the product of query and key came out; minus infinity of no keys
  float weights[2];            // sum of 2^((score - largest) · scale_log2); lanes of a query hold parts of it
};

template <int kDims>
__device__ inline AttentionSums<kDims> no_sums() {
  AttentionSums<kDims> sums = {};
  sums.largest[0] = sums.largest[1] = -INFINITY;
  return sums;
}

// Bytes from the beginning of a tile to a vector of a row.
template <int kDim>
__device__ inline uint32_t vector_offset(int row, int vector) {
  return static_cast<uint32_t>(row * kDim * 2 + ((vector ^ (row & 7)) << 4));
}

// What is subtracted from scores: without a visible key any number is right, and minus infinity would make NaN of all.
__device__ inline float score_base(float largest) { return largest == -INFINITY ? 0.0f : largest; }

// What weights relative to one score become relative to a larger one. Both products are rounded as those in the weights
// were: what is off in them is off in all weights alike and cancels out, however large scores are.
__device__ inline float shrink(float largest, float base, float scale_log2) {
  return exp2_fast(__fsub_rn(__fmul_rn(largest, scale_log2), __fmul_rn(base, scale_log2)));
}

// scores (16, kKeys) = queries · keysᵀ
template <int kDim, int kKeys>
__device__ inline void score(SharedAddress queries,  // (16, kDim)
                             SharedAddress keys,     // (kKeys, kDim)
                             int lane, float (&scores)[kKeys / 8][4]) {
#pragma unroll
  for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) scores[n][i] = 0;
  }
#pragma unroll
  for (int k = 0; k < kDim / 16; ++k) {
    uint32_t query[4];
    load_matrices(query, queries + vector_offset<kDim>(lane & 15, 2 * k + (lane >> 4)));
#pragma unroll
    for (int n = 0; n < kKeys / 16; ++n) {
      uint32_t key[4];  // of keys 16n: dimensions 16k, then 16k + 8; the same of keys 16n + 8
      load_matrices(key, keys + vector_offset<kDim>(16 * n + (lane & 7) + (lane >> 4) * 8, 2 * k + ((lane >> 3) & 1)));
      multiply_add(scores[2 * n], query, key[0], key[1]);
      multiply_add(scores[2 * n + 1], query, key[2], key[3]);
    }
  }
}

// Scores become weights, and the sums so far shrink to their new largest score. kMasked: keys behind a query's own
// position are not seen. A score that is not finite makes the sum of weights NaN: an overflow must not end as a key
// that is merely ignored.
template <bool kMasked, int kKeys, int kDims>
__device__ inline void soften(float (&scores)[kKeys / 8][4], AttentionSums<kDims>& sums,
                              const int32_t (&visible)[2],  // keys of the block that each query sees
                              int lane, float scale_log2) {
  float largest[2] = {sums.largest[0], sums.largest[1]};
  float strange[2] = {0, 0};  // 0, or NaN
#pragma unroll
  for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const bool seen = !kMasked || 8 * n + 2 * (lane & 3) + (i & 1) < visible[i >> 1];
      strange[i >> 1] = __fmaf_rn(seen ? scores[n][i] : 0.0f, 0.0f, strange[i >> 1]);
      if (!seen) scores[n][i] = -INFINITY;
      largest[i >> 1] = fmaxf(largest[i >> 1], scores[n][i]);
    }
  }
#pragma unroll
  for (int q = 0; q < 2; ++q) {
    largest[q] = fmaxf(largest[q], __shfl_xor_sync(0xffffffff, largest[q], 1));
    largest[q] = fmaxf(largest[q], __shfl_xor_sync(0xffffffff, largest[q], 2));
    const float base = score_base(largest[q]);
    const float factor = shrink(sums.largest[q], base, scale_log2);
    const float offset = -__fmul_rn(base, scale_log2);
    float weights = __fmaf_rn(sums.weights[q], factor, strange[q]);
#pragma unroll
    for (int n = 0; n < kKeys / 8; ++n) {
#pragma unroll
      for (int i = 2 * q; i < 2 * q + 2; ++i) {
        scores[n][i] = exp2_fast(__fmaf_rn(scores[n][i], scale_log2, offset));
        weights = __fadd_rn(weights, scores[n][i]);
      }
    }
#pragma unroll
    for (int d = 0; d < kDims / 8; ++d) {
      sums.values[d][2 * q] = __fmul_rn(sums.values[d][2 * q], factor);
      sums.values[d][2 * q + 1] = __fmul_rn(sums.values[d][2 * q + 1], factor);
    }
    sums.largest[q] = largest[q];
    sums.weights[q] = weights;
  }
}

// sums.values += weights (16, kKeys) · values, dimensions [8 * first_vector, 8 * first_vector + kDims) of them
template <int kDim, int kKeys, int kDims>
__device__ inline void accumulate(const float (&weights)[kKeys / 8][4], SharedAddress values,  // (kKeys, kDim)
                                  int first_vector, int lane, AttentionSums<kDims>& sums) {
#pragma unroll
  for (int k = 0; k < kKeys / 16; ++k) {
    // What a lane holds of two neighbouring products' sums is what it must hold of this product's first factor.
    const uint32_t weight[4] = {bf16_pair(weights[2 * k][0], weights[2 * k][1]),
                                bf16_pair(weights[2 * k][2], weights[2 * k][3]),
                                bf16_pair(weights[2 * k + 1][0], weights[2 * k + 1][1]),
                                bf16_pair(weights[2 * k + 1][2], weights[2 * k + 1][3])};
#pragma unroll
    for (int d = 0; d < kDims / 16; ++d) {
      uint32_t value[4];  // of dimensions 16d: keys 16k, then 16k + 8; the same of dimensions 16d + 8
      load_transposed_matrices(value,
                               values + vector_offset<kDim>(16 * k + (lane & 15), first_vector + 2 * d + (lane >> 4)));
      multiply_add(sums.values[2 * d], weight, value[0], value[1]);
      multiply_add(sums.values[2 * d + 1], weight, value[2], value[3]);
    }
  }
}

// How sums over some keys join those over the keys before them. Rounded as written here wherever it is compiled into,
// so that it does not matter who joins them.
struct JoinFactors {
  float largest, before, next;
};
__device__ inline JoinFactors join_factors(float largest_before, float largest_next, float scale_log2) {
  const float largest = fmaxf(largest_before, largest_next);
  const float base = score_base(largest);
  return {largest, shrink(largest_before, base, scale_log2), shrink(largest_next, base, scale_log2)};
}
__device__ inline float join(float before, float next, const JoinFactors& factors) {
  return __fmaf_rn(before, factors.before, __fmul_rn(next, factors.next));
}

// The whole of what the lanes of a query hold parts of.
__device__ inline float sum_of_lanes(float part) {
  part = __fadd_rn(part, __shfl_xor_sync(0xffffffff, part, 1));
  return __fadd_rn(part, __shfl_xor_sync(0xffffffff, part, 2));
}

// whole += next, whose weights the lanes of a query still hold parts of
template <int kDims>
__device__ inline void join_sums(AttentionSums<kDims>& whole, const AttentionSums<kDims>& next, float scale_log2) {
#pragma unroll
  for (int q = 0; q < 2; ++q) {
    const JoinFactors factors = join_factors(whole.largest[q], next.largest[q], scale_log2);
    whole.weights[q] = join(whole.weights[q], sum_of_lanes(next.weights[q]), factors);
    whole.largest[q] = factors.largest;
#pragma unroll
    for (int d = 0; d < kDims / 8; ++d) {
      whole.values[d][2 * q] = join(whole.values[d][2 * q], next.values[d][2 * q], factors);
      whole.values[d][2 * q + 1] = join(whole.values[d][2 * q + 1], next.values[d][2 * q + 1], factors);
    }
  }
}

}  // namespace saferoute::cuda
