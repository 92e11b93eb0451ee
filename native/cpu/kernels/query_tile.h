// A tile of queries across the lanes: where they come from, and where their outcomes go. What lies between is the
// business of the attention kernels, which keep their sums with a vector's lanes across queries, too.
#pragma once

#include "cpu/kernels.h"
#include "cpu/kernels/lanes.h"
#include "cpu/kernels/transpose.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

struct QueryTile {
  int32_t position[kQueryTile];  // of each query in its prompt
  int64_t at[kQueryTile];        // of each query in AttentionRow::queries, and of its outcome in out
  int used;                      // the lanes beyond repeat the last of them
  int lanes;                     // `used` up to a multiple of the kernel's step; the rest is not computed
};

inline void place(QueryTile& tile, const AttentionRow& row, int64_t first_query, int32_t kv_head, int step) {
  const int64_t group = row.shape.heads / row.shape.kv_heads;
  const int64_t queries_left = row.tokens * group - first_query;
  tile.used = static_cast<int>(queries_left < kQueryTile ? queries_left : kQueryTile);
  tile.lanes = (tile.used + step - 1) / step * step;
  int64_t token = first_query / group;
  int64_t head = first_query % group;
  for (int q = 0; q < tile.lanes; ++q) {
    tile.position[q] = static_cast<int32_t>(row.tokens_before + token);
    tile.at[q] = (token * row.shape.heads + kv_head * group + head) * row.shape.head_dim;
    if (q + 1 >= tile.used || ++head < group) continue;
    head = 0;
    ++token;
  }
}

// out = sums / total
inline void deliver(const QueryTile& tile, const float (*sums)[kQueryTile],  // (head_dim, kQueryTile)
                    const float* total,                                      // (kQueryTile)
                    const AttentionRow& row) {
  for (int first = 0; first < tile.used; first += kLanes) {
    const Lanes inverse = 1.0f / load(total + first);
    for_lanes(row.shape.head_dim, [&](int64_t d, int64_t width) {
      Lanes square[kLanes];
      for (int i = 0; i < kLanes; ++i) square[i] = i < width ? load(&sums[d + i][first]) * inverse : Lanes{};
      transpose(square);
      for (int q = 0; q < kLanes; ++q) store(square[q], row.out + tile.at[first + q] + d, width);
    });
  }
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
