// Keys and values in bf16 and attention over them, compiled for CPUs with bf16 tiles only: see has_bf16_tiles. See
// cpu/kernels.h on what such a source may use, and cpu/kv_pages.h on how a page is laid out.
#pragma once

#include <cstdint>

#include "cpu/kernels.h"

namespace saferoute::cpu::amx {

// A token's key to its slot of a page, rounded to nearest even.
void write_bf16_key(const float* key,  // (head_dim)
                    uint16_t* keys,    // (kKvPageTokens, width)
                    int64_t slot, int64_t head_dim);

// The same for its value.
void write_bf16_value(const float* value,  // (head_dim)
                      uint16_t* values,    // (width, kKvPageTokens)
                      int64_t slot, int64_t head_dim);

// Sets the values of slots [first, kKvPageTokens) to 0. Where a query's weight for a slot is 0, a value that is no
// number must not get through.
void clear_bf16_values(uint16_t* values,  // (width, kKvPageTokens)
                       int64_t first, int64_t head_dim);

// Kernels::paged_attention_tile over pages of kBf16. Of each row's last page the values behind its last token must be
// finite; keys may hold anything.
void bf16_attention_tile(const AttentionRow& row, int64_t first_query, int32_t kv_head);

}  // namespace saferoute::cpu::amx
