#include "cuda/attention_plan.h"

#include <string>

#include "engine/error.h"
#include "model/model_spec.h"

namespace saferoute::cuda {

void require_attendable(const AttentionSizes& sizes) {
  if (sizes.kv_heads <= 0 || sizes.heads <= 0 || sizes.heads % sizes.kv_heads != 0) {
    throw Error(ErrorCode::kInvalidArgument, "attention: " + std::to_string(sizes.heads) +
                                                 " heads are no multiple of " + std::to_string(sizes.kv_heads) +
                                                 " kv heads");
  }
  if (sizes.head_dim <= 0 || sizes.head_dim % 8 != 0 || sizes.head_dim > model::kMaxHeadDim) {
    throw Error(ErrorCode::kUnsupported, "attention: head_dim " + std::to_string(sizes.head_dim) +
                                             " is no multiple of 8 from 8 to " + std::to_string(model::kMaxHeadDim));
  }
}

AttentionGrid plan_attention(const AttentionSizes& sizes, int32_t multiprocessors) {
  const int64_t group = sizes.heads / sizes.kv_heads;
  const int64_t queries = (sizes.which == AttentionQueries::kAll ? sizes.token_count : sizes.row_count) * group;
  // Row r's tiles begin at slot floor(queries before it / tile) + r: room for every row's last, partial tile, and no
  // need to count tiles.
  const int64_t slots = queries / kAttentionQueries + sizes.row_count;
  const int64_t tiles = slots * sizes.kv_heads;
  const int64_t chunks = (sizes.max_keys + kAttentionChunk - 1) / kAttentionChunk;
  const bool spread = 2 * tiles <= multiprocessors && chunks > 1 && tiles * chunks <= kMaxSplitTiles;
  return {static_cast<int32_t>(slots), spread ? static_cast<int32_t>(chunks) : 1};
}

int32_t padded_head_dim(int32_t head_dim) { return head_dim <= 64 ? 64 : head_dim <= 128 ? 128 : 256; }

int64_t attention_scratch_bytes(int32_t head_dim) {
  // Of every query its weighted sum of values, its largest score and its sum of weights.
  const int64_t floats = static_cast<int64_t>(kAttentionQueries) * (padded_head_dim(head_dim) + 2);
  return kMaxSplitTiles * floats * static_cast<int64_t>(sizeof(float));
}

}  // namespace saferoute::cuda
