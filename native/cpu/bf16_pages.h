// Keys and values kept in bf16, for the tile unit: half the memory of f32, and both products of attention where the
// unit does them. Everything here needs has_bf16_tiles().
#pragma once

#include <cstdint>

#include "cpu/kernels.h"
#include "cpu/kv_pages.h"

namespace saferoute::cpu {

// Where a token's key or value goes: the part of a page that is one kv head's keys, or its values, and the slot there.
struct PageSlot {
  uint16_t* part;  // (kv_head_elements)
  int64_t slot;    // < kKvPageTokens
};

void write_bf16_key(const float* key,  // (head_dim)
                    PageSlot to, int64_t head_dim);

// `last`: no token of its row follows in this batch. Then the values of the slots behind become 0: see
// kernels/bf16_tiles.h.
void write_bf16_value(const float* value,  // (head_dim)
                      PageSlot to, int64_t head_dim, bool last);

// As Kernels::paged_attention_tile, over kBf16.
void bf16_attention_tile(const AttentionRow& row, int64_t first_query, int32_t kv_head);

}  // namespace saferoute::cpu
