#include "cpu/bf16_pages.h"

#include <cstdlib>

#include "cpu/kernels/bf16_tiles.h"

namespace saferoute::cpu {

#if SAFEROUTE_CPU_X86

void write_bf16_key(const float* key, PageSlot to, int64_t head_dim) {
  amx::write_bf16_key(key, to.part, to.slot, head_dim);
}

void write_bf16_value(const float* value, PageSlot to, int64_t head_dim, bool last) {
  amx::write_bf16_value(value, to.part, to.slot, head_dim);
  if (last) amx::clear_bf16_values(to.part, to.slot + 1, head_dim);
}

void bf16_attention_tile(const AttentionRow& row, int64_t first_query, int32_t kv_head) {
  amx::bf16_attention_tile(row, first_query, kv_head);
}

#else

void write_bf16_key(const float*, PageSlot, int64_t) { std::abort(); }
void write_bf16_value(const float*, PageSlot, int64_t, bool) { std::abort(); }
void bf16_attention_tile(const AttentionRow&, int64_t, int32_t) { std::abort(); }

#endif

}  // namespace saferoute::cpu
