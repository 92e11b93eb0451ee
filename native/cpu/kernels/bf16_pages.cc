// From f32 to the bf16 of a page.
#include "cpu/kernels/bf16_row.h"
#include "cpu/kernels/bf16_tiles.h"
#include "cpu/kernels/lanes.h"
#include "cpu/kv_pages.h"

namespace saferoute::cpu::amx {

// Whole tile rows: zeros follow the last element, where the tile of queries has zeros too.
void write_bf16_key(const float* key, uint16_t* keys, int64_t slot, int64_t head_dim) {
  uint16_t* to = keys + slot * ((head_dim + kBf16Padding - 1) / kBf16Padding * kBf16Padding);
  for (int64_t d = 0; d < head_dim; d += kBf16Padding) {
    const __m512bh row = bf16_row(key + d, head_dim - d, 1.0f);
    __builtin_memcpy(to + d, &row, sizeof(row));
  }
}

void write_bf16_value(const float* value, uint16_t* values, int64_t slot, int64_t head_dim) {
  for_lanes(head_dim, [&](int64_t d, int64_t count) {
    const __m256bh rounded = _mm512_cvtneps_pbh((__m512)load(value + d, count));
    uint16_t elements[kLanes];
    __builtin_memcpy(elements, &rounded, sizeof(rounded));
    for (int64_t i = 0; i < count; ++i) values[(d + i) * kKvPageTokens + slot] = elements[i];
  });
}

void clear_bf16_values(uint16_t* values, int64_t first, int64_t head_dim) {
  for (int64_t d = 0; d < head_dim; ++d) {
    for (int64_t slot = first; slot < kKvPageTokens; ++slot) values[d * kKvPageTokens + slot] = 0;
  }
}

}  // namespace saferoute::cpu::amx
