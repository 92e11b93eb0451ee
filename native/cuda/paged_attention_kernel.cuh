// out[t, h] = softmax(scale · q[t, h] · k[j, h / group]) · v[j, h / group] over the positions j <= t's of t's own row.
//
// A block of threads takes kAttentionQueries queries of one row and one kv head: all query heads of a group read the
// same keys, so that they lie side by side in one tile. Keys pass through shared memory, sums stay in registers (online
// softmax). Either a block walks through all its keys, or it takes one chunk of them and join_attention_kernel does the
// rest; both join the same chunks in the same order, to the same bits.
#pragma once

#include <cstdint>

#include "cuda/attention_block.cuh"
#include "cuda/launch.cuh"

namespace saferoute::cuda {

// Where tile (chunk, slot, kv_head) begins among all tiles of partial sums.
__device__ inline int64_t partial_query(const AttentionArguments& arguments, int32_t chunk, int32_t slot, int32_t slots,
                                        int32_t kv_head) {
  return ((static_cast<int64_t>(chunk) * slots + slot) * arguments.kv_heads + kv_head) * kAttentionQueries;
}

template <int kDim>
__device__ inline void store_partial_sums(const AttentionArguments& arguments, int64_t first_query,
                                          const AttentionSums<AttentionBlock<kDim>::kWarpDims>& sums) {
  constexpr int kWarpDims = AttentionBlock<kDim>::kWarpDims;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int first_dim = warp / (kAttentionQueries / 16) * kWarpDims;
#pragma unroll
  for (int q = 0; q < 2; ++q) {
    const int64_t query = first_query + warp % (kAttentionQueries / 16) * 16 + lane / 4 + 8 * q;
    float* const to = arguments.partial_sums + query * kDim + first_dim + 2 * (lane % 4);
#pragma unroll
    for (int d = 0; d < kWarpDims / 8; ++d) {
      *reinterpret_cast<float2*>(to + 8 * d) = {sums.values[d][2 * q], sums.values[d][2 * q + 1]};
    }
    if (lane % 4 == 0 && first_dim == 0) arguments.partial_weights[query] = {sums.largest[q], sums.weights[q]};
  }
}

// Through the queries' place in shared memory, so that rows leave in whole vectors.
template <int kDim>
__device__ inline void store_outcomes(const AttentionArguments& arguments, const QueryTile& tile, int32_t kv_head,
                                      std::byte* shared, const AttentionSums<AttentionBlock<kDim>::kWarpDims>& sums) {
  using Block = AttentionBlock<kDim>;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int first_vector = warp / (kAttentionQueries / 16) * (Block::kWarpDims / 8);
  __syncthreads();  // nobody reads queries any more
#pragma unroll
  for (int q = 0; q < 2; ++q) {
    const int query = warp % (kAttentionQueries / 16) * 16 + lane / 4 + 8 * q;
    const float share = __fdiv_rn(1.0f, sums.weights[q]);
#pragma unroll
    for (int d = 0; d < Block::kWarpDims / 8; ++d) {
      const uint32_t pair =
          bf16_pair(__fmul_rn(sums.values[d][2 * q], share), __fmul_rn(sums.values[d][2 * q + 1], share));
      *reinterpret_cast<uint32_t*>(shared + vector_offset<kDim>(query, first_vector + d) + 4 * (lane % 4)) = pair;
    }
  }
  __syncthreads();
  const int32_t out_stride = arguments.heads * arguments.head_dim;
  for (int i = static_cast<int>(threadIdx.x); i < kAttentionQueries * Block::kVectors; i += Block::kThreads) {
    const int query = i / Block::kVectors, vector = i % Block::kVectors;
    if (tile.first + query >= tile.count || vector * 8 >= arguments.head_dim) continue;
    const int64_t at = query_element(tile, query, kv_head, tile.out_token, out_stride, arguments.head_dim);
    *reinterpret_cast<uint4*>(arguments.out + at + vector * 8) =
        *reinterpret_cast<const uint4*>(shared + vector_offset<kDim>(query, vector));
  }
}

// grid (slots, kv_heads, chunks or 1), AttentionBlock<kDim>::kThreads threads, kSharedBytes of shared memory
template <int kDim>
__global__ void __launch_bounds__(AttentionBlock<kDim>::kThreads)
    paged_attention_kernel(const AttentionArguments arguments) {
  std::byte* const shared = dynamic_shared_memory();
  // Later tiles of a row see more keys: they begin first.
  const auto slot = static_cast<int32_t>(gridDim.x - 1 - blockIdx.x);
  const auto kv_head = static_cast<int32_t>(blockIdx.y), chunk = static_cast<int32_t>(blockIdx.z);
  const QueryTile tile = tile_of(arguments, slot);
  if (tile.empty() || chunk * kAttentionChunk >= tile.keys()) return;

  const bool spread = arguments.partial_sums != nullptr;
  const int32_t chunks = (tile.keys() + kAttentionChunk - 1) / kAttentionChunk;
  const auto sums =
      sums_of_chunks<kDim>(arguments, tile, kv_head, shared_address(shared), chunk, spread ? chunk + 1 : chunks);
  if (spread) {
    const int64_t query = partial_query(arguments, chunk, slot, static_cast<int32_t>(gridDim.x), kv_head);
    store_partial_sums<kDim>(arguments, query, sums);
  } else {
    store_outcomes<kDim>(arguments, tile, kv_head, shared, sums);
  }
}

// Queries to a block of join_attention_kernel.
inline constexpr int kJoinQueries = 16;
inline constexpr int kJoinThreads = 256;

// grid (slots, kv_heads, kAttentionQueries / kJoinQueries), kJoinThreads threads
template <int kDim>
__global__ void __launch_bounds__(kJoinThreads) join_attention_kernel(const AttentionArguments arguments) {
  const auto slot = static_cast<int32_t>(blockIdx.x), kv_head = static_cast<int32_t>(blockIdx.y);
  const QueryTile tile = tile_of(arguments, slot);
  if (tile.empty()) return;

  for (int i = static_cast<int>(threadIdx.x); i < kJoinQueries * kDim / 4; i += kJoinThreads) {
    const int query = static_cast<int>(blockIdx.z) * kJoinQueries + i / (kDim / 4), dim = i % (kDim / 4) * 4;
    if (tile.first + query >= tile.count || dim >= arguments.head_dim) continue;
    float values[4] = {}, weights = 0, largest = -INFINITY;
    for (int32_t chunk = 0; chunk * kAttentionChunk <= tile.position_of(query); ++chunk) {
      if (chunk == arguments.chunks) {  // a row longer than was promised must not end as one of its beginning
        weights = NAN;
        break;
      }
      const int64_t at = partial_query(arguments, chunk, slot, static_cast<int32_t>(gridDim.x), kv_head) + query;
      const float2 next = arguments.partial_weights[at];
      const float4 sums = *reinterpret_cast<const float4*>(arguments.partial_sums + at * kDim + dim);
      const JoinFactors factors = join_factors(largest, next.x, arguments.scale_log2);
      values[0] = join(values[0], sums.x, factors);
      values[1] = join(values[1], sums.y, factors);
      values[2] = join(values[2], sums.z, factors);
      values[3] = join(values[3], sums.w, factors);
      weights = join(weights, next.y, factors);
      largest = factors.largest;
    }
    const int64_t at =
        query_element(tile, query, kv_head, tile.out_token, arguments.heads * arguments.head_dim, arguments.head_dim);
    const float share = __fdiv_rn(1.0f, weights);
    *reinterpret_cast<uint2*>(arguments.out + at + dim) = {
        bf16_pair(__fmul_rn(values[0], share), __fmul_rn(values[1], share)),
        bf16_pair(__fmul_rn(values[2], share), __fmul_rn(values[3], share))};
  }
}

}  // namespace saferoute::cuda
