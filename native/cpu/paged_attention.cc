#include "cpu/paged_attention.h"

#include <cstring>

#include "cpu/bf16_pages.h"
#include "cpu/quantized_rows.h"

namespace saferoute::cpu {
namespace {

int64_t tiles_of(int64_t queries) { return (queries + kQueryTile - 1) / kQueryTile; }

// Later tiles see more keys. Taken from both ends in turn, any run of neighbours costs about the same.
int64_t balanced(int64_t index, int64_t count) { return index % 2 == 0 ? index / 2 : count - 1 - index / 2; }

int64_t width_of(QkvShape shape) { return static_cast<int64_t>(shape.heads + 2 * shape.kv_heads) * shape.head_dim; }

// One layer's attention over one batch.
struct Attention {
  const AttentionParameters& parameters;
  const KvPages& pages;
  const float* cos_sin;
  float* queries;
  int64_t layer;
  const Kernels& kernels;

  int64_t keys_at() const { return layer * kv_layer_elements(parameters.shape, pages.format); }

  // x = rope(rms_norm(x)) of one head of a token, in place.
  void rotate(float* x, const float* norm, int64_t token) const {
    const int64_t head_dim = parameters.shape.head_dim;
    if (norm) kernels.rms_norm(x, norm, x, head_dim, parameters.eps);
    kernels.rope(x, cos_sin + token * head_dim, x, head_dim);
  }

  // Rotates a token's queries into `queries` and writes its keys and values to its page. project(column, size, to)
  // delivers columns of its row of the projection.
  template <typename F>
  void write_token(int64_t token, int64_t row, F&& project) const {
    const auto [heads, kv_heads, head_dim] = parameters.shape;
    float* query = queries + token * heads * head_dim;
    project(int64_t{0}, static_cast<int64_t>(heads) * head_dim, query);
    for (int32_t head = 0; head < heads; ++head) rotate(query + head * head_dim, parameters.q_norm, token);

    const int64_t position = pages.row_starts[row] + token - pages.row_offsets[row];
    std::byte* const page = pages.pages[pages.page_offsets[row] + position / kKvPageTokens];
    const bool last = token + 1 == pages.row_offsets[row + 1];
    for (int32_t head = 0; head < 2 * kv_heads; ++head) {
      const auto deliver = [&](float* to) {
        project(static_cast<int64_t>(heads + head) * head_dim, static_cast<int64_t>(head_dim), to);
        if (head < kv_heads) rotate(to, parameters.k_norm, token);
      };
      const int64_t at = keys_at() + head * kv_head_elements(parameters.shape, pages.format);
      if (pages.format == KvFormat::kF32) {
        deliver(reinterpret_cast<float*>(page) + at + position % kKvPageTokens * head_dim);
      } else {
        float key_or_value[kMaxHeadDim];
        deliver(key_or_value);
        const PageSlot to{reinterpret_cast<uint16_t*>(page) + at, position % kKvPageTokens};
        if (head < kv_heads) {
          write_bf16_key(key_or_value, to, head_dim);
        } else {
          write_bf16_value(key_or_value, to, head_dim, last);
        }
      }
    }
  }

  // project(token, column, size, to)
  template <typename F>
  void write_tokens(int64_t tokens, ParallelFor parallel_for, F&& project) const {
    for_ranges(parallel_for, tokens, grain_of(width_of(parameters.shape)), [&](int64_t first, int64_t last) {
      int64_t row = 0;
      for (int64_t token = first; token < last; ++token) {
        while (token >= pages.row_offsets[row + 1]) ++row;
        write_token(token, row, [&](int64_t column, int64_t size, float* to) { project(token, column, size, to); });
      }
    });
  }

  // A piece of work is one tile of one kv head. Pieces of a kv head are neighbours, so that its keys and values stay
  // cached.
  void attend(float* out, ParallelFor parallel_for) const {
    const QkvShape shape = parameters.shape;
    const int64_t group = shape.heads / shape.kv_heads;
    const int64_t token_size = static_cast<int64_t>(shape.heads) * shape.head_dim;
    const auto tokens_in = [&](int64_t row) { return pages.row_offsets[row + 1] - pages.row_offsets[row]; };
    const auto tiles_in = [&](int64_t row) { return tiles_of(tokens_in(row) * group); };
    int64_t tiles = 0;
    for (int64_t row = 0; row < pages.rows; ++row) tiles += tiles_in(row);
    const auto attend_tile = pages.format == KvFormat::kF32 ? kernels.paged_attention_tile : bf16_attention_tile;

    parallel_for(static_cast<size_t>(tiles * shape.kv_heads), [&](size_t piece) {
      const auto kv_head = static_cast<int32_t>(static_cast<int64_t>(piece) / tiles);
      int64_t tile = static_cast<int64_t>(piece) % tiles;
      int64_t row = 0;
      for (; tile >= tiles_in(row); ++row) tile -= tiles_in(row);
      const int64_t at = pages.row_offsets[row] * token_size;
      const AttentionRow attention_row = {.queries = queries + at,
                                          .pages = pages.pages + pages.page_offsets[row],
                                          .out = out + at,
                                          .keys_at = keys_at(),
                                          .tokens = tokens_in(row),
                                          .tokens_before = pages.row_starts[row],
                                          .shape = shape,
                                          .scale = parameters.scale};
      attend_tile(attention_row, balanced(tile, tiles_in(row)) * kQueryTile, kv_head);
    });
  }
};

}  // namespace

void paged_attention(const float* qkv, const float* cos_sin, const AttentionParameters& parameters,
                     const KvPages& pages, int64_t layer, float* queries, float* out, int64_t tokens,
                     ParallelFor parallel_for, const Kernels& kernels) {
  const Attention attention{parameters, pages, cos_sin, queries, layer, kernels};
  const int64_t width = width_of(parameters.shape);
  attention.write_tokens(tokens, parallel_for, [=](int64_t token, int64_t column, int64_t size, float* to) {
    std::memcpy(to, qkv + token * width + column, static_cast<size_t>(size) * sizeof(float));
  });
  attention.attend(out, parallel_for);
}

void paged_attention_quantized(const int32_t* accumulated, const float* token_scale, const float* weight_scale,
                               const float* cos_sin, const AttentionParameters& parameters, const KvPages& pages,
                               int64_t layer, float* queries, float* attended, uint8_t* out, float* out_scale,
                               int64_t tokens, ParallelFor parallel_for, const Kernels& kernels) {
  const Attention attention{parameters, pages, cos_sin, queries, layer, kernels};
  const int64_t width = width_of(parameters.shape);
  attention.write_tokens(tokens, parallel_for, [&](int64_t token, int64_t column, int64_t size, float* to) {
    kernels.dequantize(accumulated + token * width + column, weight_scale + column, to, size, token_scale[token]);
  });
  attention.attend(attended, parallel_for);
  quantize_rows(attended, out, out_scale, tokens,
                static_cast<int64_t>(parameters.shape.heads) * parameters.shape.head_dim, parallel_for, kernels);
}

}  // namespace saferoute::cpu
