// Attention of a tile of queries: out[q] = softmax(scale · Q[q] · Kᵀ) · V over the keys up to q's own position.
//
// Queries lie across the lanes. Both products then are sums of outer products of scalars of K or V with vectors of
// queries, the softmax is vertical in every lane, and nothing is ever reduced across lanes. A lane's arithmetic does
// not depend on what the other lanes hold: keys beyond a lane's position multiply its sums by exp(0) = 1 and add zeros.
// K and V are read where they lie, a page at a time.
#include "cpu/kernels/declarations.h"
#include "cpu/kernels/query_tile.h"
#include "cpu/kernels/softmax_exp.h"
#include "cpu/kv_pages.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {
namespace {

constexpr int kKeyBlock = static_cast<int>(kKvPageTokens);
constexpr int kRegisterRows = kLanes == 16 ? 8 : 4;  // with two vectors of queries each: what the registers hold
constexpr int kPair = 2 * kLanes;
static_assert(kQueryTile % kPair == 0 && kKeyBlock % kRegisterRows == 0);

constexpr float kInfinity = __builtin_inff();

struct Tile : QueryTile {
  alignas(64) float queries[kMaxHeadDim][kQueryTile];  // scaled
  float outputs[kMaxHeadDim][kQueryTile];              // sums of value · exp(score - maximum)
  float scores[kKeyBlock][kQueryTile];                 // of the current block; then exp(score - maximum)
  float maximum[kQueryTile];                           // of the scores so far
  float total[kQueryTile];                             // sum of exp(score - maximum)
  float rescale[kQueryTile];                           // exp(previous maximum - maximum)
};

// sums[r] += sum over k of a[r * row_stride + k * depth_stride] * b[k, lanes], kRows rows of two vectors in registers.
template <int kRows>
inline void add_outer_products(Lanes (&sums)[kRows][2], const float* a, int64_t row_stride, int64_t depth_stride,
                               int64_t depth, const float* b) {
  for (int64_t k = 0; k < depth; ++k) {
    const Lanes low = load(b + k * kQueryTile), high = load(b + k * kQueryTile + kLanes);
    for (int r = 0; r < kRows; ++r) {
      const float scalar = a[r * row_stride + k * depth_stride];
      sums[r][0] += scalar * low;
      sums[r][1] += scalar * high;
    }
  }
}

// Scores of whole groups of kRegisterRows keys, `count` or a few more: those are masked with all others that a query
// may not see.
void score_block(Tile& tile, const float* keys, int count, int64_t head_dim) {
  for (int q = 0; q < tile.lanes; q += kPair) {
    for (int key = 0; key < count; key += kRegisterRows) {
      Lanes sums[kRegisterRows][2] = {};
      add_outer_products(sums, keys + key * head_dim, head_dim, 1, head_dim, &tile.queries[0][q]);
      for (int r = 0; r < kRegisterRows; ++r) {
        store(sums[r][0], &tile.scores[key + r][q]);
        store(sums[r][1], &tile.scores[key + r][q + kLanes]);
      }
    }
  }
}

// Key 0 is visible to every query, so the maximum is finite from the first block on. A score that is infinite becomes
// NaN, by subtracting it from itself: an overflow must not end as a key that is merely ignored.
void soften_block(Tile& tile, int32_t first_key, int count) {
  for (int q = 0; q < tile.lanes; q += kLanes) {
    IntLanes position;
    __builtin_memcpy(&position, tile.position + q, sizeof(position));
    const Lanes before = load(tile.maximum + q);
    Lanes maximum = before;
    for (int key = 0; key < count; ++key) {
      const Lanes raw = load(&tile.scores[key][q]);
      const Lanes score = position >= first_key + key ? raw + (raw - raw) : broadcast(-kInfinity);
      store(score, &tile.scores[key][q]);
      maximum = max(score, maximum);
    }
    const Lanes rescale = softmax_exp<ExpOfF32>(before - maximum);
    Lanes total = load(tile.total + q) * rescale;
    for (int key = 0; key < count; ++key) {
      const Lanes weight = softmax_exp<ExpOfF32>(load(&tile.scores[key][q]) - maximum);
      store(weight, &tile.scores[key][q]);
      total += weight;
    }
    store(maximum, tile.maximum + q);
    store(rescale, tile.rescale + q);
    store(total, tile.total + q);
  }
}

template <int kRows>
inline void accumulate_rows(Tile& tile, const float* values, int count, int64_t head_dim, int64_t d, int q) {
  const Lanes low = load(tile.rescale + q), high = load(tile.rescale + q + kLanes);
  Lanes sums[kRows][2];
  for (int r = 0; r < kRows; ++r) {
    sums[r][0] = load(&tile.outputs[d + r][q]) * low;
    sums[r][1] = load(&tile.outputs[d + r][q + kLanes]) * high;
  }
  add_outer_products(sums, values + d, 1, head_dim, count, &tile.scores[0][q]);
  for (int r = 0; r < kRows; ++r) {
    store(sums[r][0], &tile.outputs[d + r][q]);
    store(sums[r][1], &tile.outputs[d + r][q + kLanes]);
  }
}

void accumulate_block(Tile& tile, const float* values, int count, int64_t head_dim) {
  for (int q = 0; q < tile.lanes; q += kPair) {
    int64_t d = 0;
    for (; d + kRegisterRows <= head_dim; d += kRegisterRows) {
      accumulate_rows<kRegisterRows>(tile, values, count, head_dim, d, q);
    }
    for (; d < head_dim; ++d) accumulate_rows<1>(tile, values, count, head_dim, d, q);
  }
}

void start(Tile& tile, const AttentionRow& row) {
  const int64_t head_dim = row.shape.head_dim;
  const float scale = row.scale;
  __builtin_memset(tile.outputs, 0, sizeof(tile.outputs[0]) * static_cast<size_t>(head_dim));
  for (int first = 0; first < tile.lanes; first += kLanes) {
    store(broadcast(-kInfinity), tile.maximum + first);
    store(Lanes{}, tile.total + first);
    for_lanes(head_dim, [&](int64_t d, int64_t width) {
      Lanes square[kLanes];
      for (int q = 0; q < kLanes; ++q) square[q] = load(row.queries + tile.at[first + q] + d, width) * scale;
      transpose(square);
      for (int i = 0; i < width; ++i) store(square[i], &tile.queries[d + i][first]);
    });
  }
}

}  // namespace

void paged_attention_tile(const AttentionRow& row, int64_t first_query, int32_t kv_head) {
  const int64_t head_dim = row.shape.head_dim;
  const int64_t head_elements = kv_head_elements(row.shape, KvFormat::kF32);
  const int64_t keys_at = row.keys_at + kv_head * head_elements;
  const int64_t values_at = keys_at + row.shape.kv_heads * head_elements;

  Tile tile;
  place(tile, row, first_query, kv_head, kPair);
  start(tile, row);
  const int32_t keys = tile.position[tile.lanes - 1] + 1;
  for (int32_t key = 0; key < keys; key += kKeyBlock) {
    const auto* page = reinterpret_cast<const float*>(row.pages[key / kKeyBlock]);
    const int count = keys - key < kKeyBlock ? keys - key : kKeyBlock;
    score_block(tile, page + keys_at, count, head_dim);
    soften_block(tile, key, count);
    accumulate_block(tile, page + values_at, count, head_dim);
  }
  deliver(tile, tile.outputs, tile.total, row);
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
