// Which queries a block of threads handles, and where they and their row's keys lie.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/attention_plan.h"
#include "cuda/tensor_core.cuh"

namespace saferoute::cuda {

struct AttentionArguments {
  const uint16_t* queries;  // (tokens, query_stride): bf16, of which the first heads * head_dim columns are read
  const std::byte* keys;    // the layer's part of page 0: (kv_heads, page tokens, head_dim) of bf16, values likewise
  const int32_t* pages;     // (page_offsets[rows])
  const int32_t* page_offsets;  // (rows + 1)
  const int32_t* row_offsets;   // (rows + 1)
  const int32_t* row_starts;    // (rows)
  uint16_t* out;                // (tokens, heads * head_dim), last_only: (rows, ...); bf16
  float* partial_sums;          // (chunks, slots, kv_heads, kAttentionQueries, kDim), or null: chunks are not spread
  float2* partial_weights;      // (chunks, slots, kv_heads, kAttentionQueries): largest score, sum of weights
  int64_t page_bytes;
  int32_t chunks;  // that partial sums are of
  int32_t rows;
  int32_t heads;
  int32_t kv_heads;
  int32_t head_dim;
  int32_t query_stride;
  float scale_log2;  // of a score, to the exponent of a power of two
  bool last_only;
};

// Queries of one row and one kv head.
struct QueryTile {
  int32_t row;
  int32_t first;      // of the tile, of the row's queries of the kv head
  int32_t count;      // the row's queries of the kv head, all tiles together
  int32_t token;      // of the batch: whose the row's query 0 is
  int32_t position;   // of that token in its prompt
  int32_t out_token;  // where its outcome goes
  int32_t group;      // queries of a token

  // Nothing to do.
  __device__ bool empty() const { return first >= count; }
  // Of a query of the tile in its prompt; beyond the last, the last's.
  __device__ int32_t position_of(int32_t query) const { return position + min(first + query, count - 1) / group; }
  // That the tile's last query sees.
  __device__ int32_t keys() const { return position_of(kAttentionQueries - 1) + 1; }
};

// The tile of a slot. Row r's first slot is floor(queries of the rows before it / kAttentionQueries) + r, which leaves
// it at least as many slots as it has tiles, and makes first slots rise from row to row. Synchronises the block.
__device__ inline QueryTile tile_of(const AttentionArguments& arguments, int32_t slot) {
  const int32_t group = arguments.heads / arguments.kv_heads;
  const auto first_slot = [&](int32_t row) {
    const int32_t tokens_before = arguments.last_only ? row : arguments.row_offsets[row];
    return tokens_before * group / kAttentionQueries + row;
  };
  int32_t rows_begun = 0;
  for (int32_t first = 0; first < arguments.rows; first += static_cast<int32_t>(blockDim.x)) {
    const int32_t row = first + static_cast<int32_t>(threadIdx.x);
    rows_begun += __syncthreads_count(row < arguments.rows && first_slot(row) <= slot);
  }
  const int32_t row = rows_begun - 1;
  const int32_t begin = arguments.row_offsets[row], tokens = arguments.row_offsets[row + 1] - begin;
  const int32_t skipped = arguments.last_only && tokens > 0 ? tokens - 1 : 0;
  return {.row = row,
          .first = (slot - first_slot(row)) * kAttentionQueries,
          .count = (tokens - skipped) * group,
          .token = begin + skipped,
          .position = arguments.row_starts[row] + skipped,
          .out_token = arguments.last_only ? row : begin,
          .group = group};
}

// The element of a query's or an outcome's first dimension.
__device__ inline int64_t query_element(const QueryTile& tile, int32_t query, int32_t kv_head, int32_t first_token,
                                        int32_t token_stride, int32_t head_dim) {
  const int32_t index = tile.first + query;
  const int32_t head = kv_head * tile.group + index % tile.group;
  return static_cast<int64_t>(first_token + index / tile.group) * token_stride + head * head_dim;
}

}  // namespace saferoute::cuda
