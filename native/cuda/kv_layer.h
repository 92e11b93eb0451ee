// Where one layer's keys and values lie in the pages of a guard.
#pragma once

#include <cstddef>
#include <cstdint>

namespace saferoute::cuda {

// Tokens whose keys and values share a page.
inline constexpr int32_t kKvPageTokens = 16;

// Keys and values are kept in bf16.
inline constexpr int64_t kKvElementBytes = 2;

// Keys of page p are (kv_heads, kKvPageTokens, head_dim) at base + p * page_bytes, its values likewise behind them.
// Keys are rotated.
struct KvLayer {
  std::byte* base = nullptr;  // the layer's part of page 0; 16-byte aligned
  int64_t page_bytes = 0;     // from a page to the next, all layers together; a multiple of 16
  int32_t kv_heads = 0;
  int32_t head_dim = 0;
};

// Bytes of one layer's keys and values in a page.
inline int64_t kv_layer_bytes(int32_t kv_heads, int32_t head_dim) {
  return 2 * static_cast<int64_t>(kv_heads) * kKvPageTokens * head_dim * kKvElementBytes;
}

}  // namespace saferoute::cuda
