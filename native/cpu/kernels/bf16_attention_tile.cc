// Attention of a tile of queries over keys and values in bf16: out[q] = softmax(scale · Q[q] · Kᵀ) · V over the keys up
// to q's own position, both products on the tile unit with sums in f32, the softmax in f32.
//
// As in paged_attention_tile.cc queries lie across the lanes: a tile of scores is (16 keys, 16 queries), one of
// outcomes (16 elements, 16 queries), so the softmax is vertical in every lane. Keys are visited in blocks of four
// pages from the start of the prompt. What a lane gets does not depend on the others: keys beyond its position multiply
// its sums by exp(0) = 1 and add 0 · value.
#include "cpu/kernels/bf16_row.h"
#include "cpu/kernels/bf16_tiles.h"
#include "cpu/kernels/query_tile.h"
#include "cpu/kernels/softmax_exp.h"
#include "cpu/kernels/tile_config.h"
#include "cpu/kv_pages.h"

namespace saferoute::cpu::amx {
namespace {

constexpr int kPageKeys = static_cast<int>(kKvPageTokens);
constexpr int kBlockPages = 4;
constexpr int kKeyBlock = kBlockPages * kPageKeys;
constexpr int kGroup = kLanes;  // queries of a tile register
constexpr int kGroups = kQueryTile / kGroup;
constexpr int kMaxSteps = kMaxHeadDim / static_cast<int>(kBf16Padding);
static_assert(kPageKeys == kTileRows && kLanes == kTileRows && kMaxHeadDim % kBf16Padding == 0);

constexpr float kInfinity = __builtin_inff();

// A tile that is the second factor of a product of bf16: (pairs of summands, queries, both of the pair).
template <int kPairs>
using Factor = uint16_t[kPairs][kGroup][2];

struct Tile : QueryTile {
  alignas(64) Factor<16> queries[kMaxSteps][kGroups];  // scaled
  float outputs[kMaxHeadDim][kQueryTile];              // sums of value · exp(score - maximum)
  float scores[kKeyBlock][kGroup];                     // of the current block and group
  Factor<kPageKeys / 2> weights[kBlockPages];          // exp(score - maximum) of the same
  float maximum[kQueryTile];                           // of the scores so far
  float total[kQueryTile];                             // sum of exp(score - maximum)
};

// A block of keys, as far as the group of queries at hand sees it.
struct Block {
  int32_t first_key;
  int pages = 0;                             // that the queries see, of the block
  const uint16_t* keys[kBlockPages] = {};    // (kPageKeys, width)
  const uint16_t* values[kBlockPages] = {};  // (width, kPageKeys)
};

// Sums in tiles 0 to 3, queries in 4, keys in 5, weights in 6, values in 7. The last two are of one page, half a tile.
void configure() {
  TileConfig config;
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = kTileRowBytes;
    config.rows[tile] = kTileRows;
  }
  config.rows[6] = kPageKeys / 2;
  config.row_bytes[7] = kPageKeys * sizeof(uint16_t);
  load_config(config);
}

void start(Tile& tile, const AttentionRow& row) {
  const int64_t head_dim = row.shape.head_dim;
  __builtin_memset(tile.outputs, 0, sizeof(tile.outputs));
  for (int first = 0; first < tile.lanes; first += kGroup) {
    store(broadcast(-kInfinity), tile.maximum + first);
    store(Lanes{}, tile.total + first);
    for (int64_t d = 0; d < head_dim; d += kBf16Padding) {
      Lanes square[kLanes];  // (query, pair of elements)
      for (int q = 0; q < kLanes; ++q) {
        square[q] = (Lanes)bf16_row(row.queries + tile.at[first + q] + d, head_dim - d, row.scale);
      }
      transpose(square);
      __builtin_memcpy(tile.queries[d / kBf16Padding][first / kGroup], square, sizeof(square));
    }
  }
}

// A tile's number is part of the instruction, so the pages do not go round in a loop.
void score_block(Tile& tile, const Block& block, int group, int64_t width) {
  const int64_t stride = width * static_cast<int64_t>(sizeof(uint16_t));
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int64_t d = 0; d < width; d += kBf16Padding) {
    _tile_loadd(4, tile.queries[d / kBf16Padding][group], kTileRowBytes);
    _tile_loadd(5, block.keys[0] + d, stride);
    _tile_dpbf16ps(0, 5, 4);
    if (block.pages > 1) {
      _tile_loadd(5, block.keys[1] + d, stride);
      _tile_dpbf16ps(1, 5, 4);
    }
    if (block.pages > 2) {
      _tile_loadd(5, block.keys[2] + d, stride);
      _tile_dpbf16ps(2, 5, 4);
    }
    if (block.pages > 3) {
      _tile_loadd(5, block.keys[3] + d, stride);
      _tile_dpbf16ps(3, 5, 4);
    }
  }
  _tile_stored(0, tile.scores[0], kTileRowBytes);
  if (block.pages > 1) _tile_stored(1, tile.scores[kPageKeys], kTileRowBytes);
  if (block.pages > 2) _tile_stored(2, tile.scores[2 * kPageKeys], kTileRowBytes);
  if (block.pages > 3) _tile_stored(3, tile.scores[3 * kPageKeys], kTileRowBytes);
}

// The score of a key that is not visible becomes minus infinity. One that is infinite becomes NaN, by subtracting it
// from itself: an overflow must not end as a key that is merely ignored.
template <bool kMasked>
inline Lanes settle_score(float* score, int key, IntLanes last_key) {
  const Lanes raw = load(score);
  Lanes settled = raw + (raw - raw);
  if constexpr (kMasked) settled = last_key >= key ? settled : broadcast(-kInfinity);
  store(settled, score);
  return settled;
}

// Returns the maximum of all and `maximum`: two of them, since one would wait for itself.
template <bool kMasked>
Lanes settle_scores(Tile& tile, int count, IntLanes last_key, Lanes maximum) {
  Lanes even = maximum, odd = maximum;
  for (int key = 0; key < count; key += 2) {
    even = max(settle_score<kMasked>(tile.scores[key], key, last_key), even);
    odd = max(settle_score<kMasked>(tile.scores[key + 1], key + 1, last_key), odd);
  }
  return max(even, odd);
}

// Multiplies what the queries have gathered by exp(previous maximum - maximum), mostly 1.
void rescale(Tile& tile, int first_query, Lanes factor, int64_t head_dim) {
  if (_mm512_cmp_ps_mask((__m512)factor, _mm512_set1_ps(1.0f), _CMP_NEQ_UQ) == 0) return;
  for (int64_t d = 0; d < head_dim; ++d) {
    float* const sums = &tile.outputs[d][first_query];
    store(load(sums) * factor, sums);
  }
}

// Two keys' weights, side by side for each query.
inline void store_weights(Lanes even, Lanes odd, uint16_t (*pair)[2]) {
  alignas(64) static constexpr uint16_t kInterleaved[2 * kLanes] = {0,  16, 1,  17, 2,  18, 3,  19, 4,  20, 5,
                                                                    21, 6,  22, 7,  23, 8,  24, 9,  25, 10, 26,
                                                                    11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i rounded = (__m512i)_mm512_cvtne2ps_pbh((__m512)odd, (__m512)even);
  _mm512_store_si512(pair, _mm512_permutexvar_epi16(_mm512_load_si512(kInterleaved), rounded));
}

// Key 0 is visible to every query, so the maximum is finite from the first block on.
void soften_block(Tile& tile, const Block& block, int group, int64_t head_dim) {
  const int first_query = group * kGroup;
  const int count = block.pages * kPageKeys;
  IntLanes last_key;
  __builtin_memcpy(&last_key, tile.position + first_query, sizeof(last_key));
  last_key -= block.first_key;
  const Lanes before = load(tile.maximum + first_query);
  const bool masked = tile.position[first_query] < block.first_key + count - 1;
  const Lanes maximum =
      masked ? settle_scores<true>(tile, count, last_key, before) : settle_scores<false>(tile, count, last_key, before);
  const Lanes factor = softmax_exp<ExpOfBf16>(before - maximum);
  Lanes even_total = load(tile.total + first_query) * factor, odd_total{};
  for (int key = 0; key < count; key += 2) {
    const Lanes even = softmax_exp<ExpOfBf16>(load(tile.scores[key]) - maximum);
    const Lanes odd = softmax_exp<ExpOfBf16>(load(tile.scores[key + 1]) - maximum);
    store_weights(even, odd, tile.weights[key / kPageKeys][key % kPageKeys / 2]);
    even_total += even;
    odd_total += odd;
  }
  store(maximum, tile.maximum + first_query);
  store(even_total + odd_total, tile.total + first_query);
  rescale(tile, first_query, factor, head_dim);
}

// The sums of elements [d, d + 32).
void accumulate_rows(Tile& tile, const Block& block, int group, int64_t d) {
  constexpr int64_t kValueStride = kPageKeys * sizeof(uint16_t), kSumStride = kQueryTile * sizeof(float);
  float* const low = &tile.outputs[d][group * kGroup];
  float* const high = &tile.outputs[d + kTileRows][group * kGroup];
  _tile_loadd(0, low, kSumStride);
  _tile_loadd(1, high, kSumStride);
  for (int page = 0; page < block.pages; ++page) {
    const uint16_t* const values = block.values[page] + d * kPageKeys;
    _tile_loadd(6, tile.weights[page], kTileRowBytes);
    _tile_loadd(7, values, kValueStride);
    _tile_dpbf16ps(0, 7, 6);
    _tile_loadd(7, values + kTileRows * kPageKeys, kValueStride);
    _tile_dpbf16ps(1, 7, 6);
  }
  _tile_stored(0, low, kSumStride);
  _tile_stored(1, high, kSumStride);
}

}  // namespace

void bf16_attention_tile(const AttentionRow& row, int64_t first_query, int32_t kv_head) {
  const int64_t head_dim = row.shape.head_dim;
  const int64_t head_elements = kv_head_elements(row.shape, KvFormat::kBf16);
  const int64_t width = head_elements / kKvPageTokens;
  const int64_t keys_at = row.keys_at + kv_head * head_elements;
  const int64_t values_at = keys_at + row.shape.kv_heads * head_elements;

  Tile tile;
  place(tile, row, first_query, kv_head, kGroup);
  start(tile, row);
  configure();
  const int32_t keys = tile.position[tile.lanes - 1] + 1;
  for (int32_t first_key = 0; first_key < keys; first_key += kKeyBlock) {
    Block block{.first_key = first_key};
    for (int group = 0; group < tile.lanes / kGroup; ++group) {
      const int32_t group_keys = tile.position[group * kGroup + kGroup - 1] + 1 - first_key;
      if (group_keys <= 0) continue;
      const int pages = (group_keys + kPageKeys - 1) / kPageKeys;
      for (const int most = pages < kBlockPages ? pages : kBlockPages; block.pages < most; ++block.pages) {
        const auto* page = reinterpret_cast<const uint16_t*>(row.pages[first_key / kPageKeys + block.pages]);
        block.keys[block.pages] = page + keys_at;
        block.values[block.pages] = page + values_at;
      }
      settle_stores();
      score_block(tile, block, group, width);
      soften_block(tile, block, group, head_dim);
      settle_stores();
      for (int64_t d = 0; d < width; d += kBf16Padding) accumulate_rows(tile, block, group, d);
    }
  }
  _tile_release();
  deliver(tile, tile.outputs, tile.total, row);
}

}  // namespace saferoute::cpu::amx
