// How attention finds the keys and values of a prompt's tokens.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/qkv_shape.h"

namespace saferoute::cpu {

// Tokens to a page, and keys to a block of attention: blocks begin at multiples of it from the start of the prompt, so
// that a result does not depend on which tokens were computed when.
inline constexpr int64_t kKvPageTokens = 16;

// As what keys and values are kept. kBf16, half as large, is for the tile unit alone: see has_bf16_tiles.
enum class KvFormat { kF32, kBf16 };

// What a kv head's keys or values are padded to in kBf16: the bf16 elements of a tile's row.
inline constexpr int64_t kBf16Padding = 32;

// Elements of one kv head's keys in a page, or of its values. Keys are (kKvPageTokens, width), values the same in kF32
// and (width, kKvPageTokens) in kBf16, where width is head_dim padded.
inline int64_t kv_head_elements(QkvShape shape, KvFormat format) {
  const int64_t padding = format == KvFormat::kBf16 ? kBf16Padding : 1;
  return kKvPageTokens * ((shape.head_dim + padding - 1) / padding * padding);
}

// One layer's part of a page: keys of each kv head, rotated, then values likewise.
inline int64_t kv_layer_elements(QkvShape shape, KvFormat format) {
  return 2 * static_cast<int64_t>(shape.kv_heads) * kv_head_elements(shape, format);
}

inline int64_t kv_layer_bytes(QkvShape shape, KvFormat format) {
  return kv_layer_elements(shape, format) * (format == KvFormat::kBf16 ? 2 : 4);
}

// The pages of a ragged batch. Row r's tokens are row_offsets[r] .. row_offsets[r + 1] of the batch, at positions from
// row_starts[r] on; token at position p of row r lies in pages[page_offsets[r] + p / kKvPageTokens].
struct KvPages {
  std::byte* const* pages = nullptr;      // (page_offsets[rows]): where each page begins, all layers together
  const int32_t* page_offsets = nullptr;  // (rows + 1)
  const int32_t* row_offsets = nullptr;   // (rows + 1)
  const int32_t* row_starts = nullptr;    // (rows)
  int64_t rows = 0;
  KvFormat format = KvFormat::kF32;
};

}  // namespace saferoute::cpu
