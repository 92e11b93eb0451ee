// How attention finds the keys and values of a prompt's tokens.
#pragma once

#include <cstdint>

#include "cpu/qkv_shape.h"

namespace saferoute::cpu {

// Tokens to a page, and keys to a block of attention: blocks begin at multiples of it from the start of the prompt, so
// that a result does not depend on which tokens were computed when.
inline constexpr int64_t kKvPageTokens = 16;

// One layer's part of a page: keys (kv_heads, kKvPageTokens, head_dim), rotated, then values likewise.
inline int64_t kv_layer_floats(QkvShape shape) {
  return 2 * static_cast<int64_t>(shape.kv_heads) * kKvPageTokens * shape.head_dim;
}

// The pages of a ragged batch. Row r's tokens are row_offsets[r] .. row_offsets[r + 1] of the batch, at positions from
// row_starts[r] on; token at position p of row r lies in pages[page_offsets[r] + p / kKvPageTokens].
struct KvPages {
  float* const* pages = nullptr;          // (page_offsets[rows]): where each page begins, all layers together
  const int32_t* page_offsets = nullptr;  // (rows + 1)
  const int32_t* row_offsets = nullptr;   // (rows + 1)
  const int32_t* row_starts = nullptr;    // (rows)
  int64_t rows = 0;
};

}  // namespace saferoute::cpu
