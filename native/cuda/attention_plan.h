// How attention is cut into blocks of threads: arithmetic on sizes alone, so that scratch is known before anything is
// allocated and a graph can be captured for a shape. Plain C++, no header of CUDA.
#pragma once

#include <cstdint>

namespace saferoute::cuda {

// Queries of one kv head that a block of threads handles; those of a row are numbered token by token, heads / kv_heads
// each.
inline constexpr int32_t kAttentionQueries = 64;

// Keys whose softmax is summed up on its own before it joins that of the keys before them. Chunks begin at multiples of
// it from the start of the prompt, whoever computes them: that is why a result depends on nothing but its own prompt.
inline constexpr int32_t kAttentionChunk = 256;

// Which of a row's new tokens attend.
enum class AttentionQueries {
  kAll,
  kLastOfRow,  // all that a guard's last layer needs
};

struct AttentionSizes {
  int32_t heads = 0;
  int32_t kv_heads = 0;
  int32_t head_dim = 0;
  int32_t token_count = 0;  // of the batch, padding included
  int32_t row_count = 0;    // of the batch, padding included
  int32_t max_keys = 0;     // no row has more: tokens before and new ones
  AttentionQueries which = AttentionQueries::kAll;
};

struct AttentionGrid {
  int32_t slots = 0;   // tiles of kAttentionQueries of one kv head, some of them empty
  int32_t chunks = 1;  // 1: a block walks all keys. More: a block takes one chunk each, and another kernel joins them
};

// Throws Error(kInvalidArgument) for heads that kv_heads do not divide, and Error(kUnsupported) unless head_dim is a
// multiple of 8 up to model::kMaxHeadDim.
void require_attendable(const AttentionSizes& sizes);

// Where tiles are too few to occupy the device, their keys are spread over blocks.
AttentionGrid plan_attention(const AttentionSizes& sizes, int32_t multiprocessors);

// head_dim as the kernels compute with it: 64, 128 or 256.
int32_t padded_head_dim(int32_t head_dim);

// The scratch that attention of any batch of such heads may need: kMaxSplitTiles tiles of partial sums.
int64_t attention_scratch_bytes(int32_t head_dim);

// Tiles times chunks of a batch whose keys are spread.
inline constexpr int32_t kMaxSplitTiles = 1024;

}  // namespace saferoute::cuda
