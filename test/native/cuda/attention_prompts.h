// Prompts for the tests of the device's attention: queries as rope leaves them, pages of keys and values in bf16, and
// what cpu/ makes of the same numbers in f32.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <random>
#include <vector>

#include "cpu/paged_attention.h"
#include "cuda/attention_plan.h"
#include "cuda/kv_layer.h"

namespace saferoute::cuda {

inline constexpr uint16_t kUnwritten = 0xffff;  // NaN in bf16

inline float float_of(uint16_t bf16) { return std::bit_cast<float>(static_cast<uint32_t>(bf16) << 16); }
inline uint16_t bf16_of(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>(std::isnan(value) ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Tokens [from, to) of a prompt, as a row of a batch; the tokens before stand in pages.
struct Stretch {
  int32_t prompt, from, to;
};

// What an attention takes, on the host. The second of two layers is the one in use.
struct AttentionBatch {
  cpu::QkvShape shape;
  std::vector<uint16_t> qkv;          // (tokens, (heads + 2 * kv_heads) * head_dim)
  std::vector<uint16_t> memory;       // (pages, 2 layers, keys then values, kv_heads, kKvPageTokens, head_dim)
  std::vector<int32_t> pages;         // of all rows
  std::vector<int32_t> page_offsets;  // (rows + 1)
  std::vector<int32_t> row_offsets;   // (rows + 1)
  std::vector<int32_t> row_starts;    // (rows)
  int32_t tokens = 0;
  int32_t max_keys = 0;
  AttentionQueries which = AttentionQueries::kAll;

  int32_t rows() const { return static_cast<int32_t>(row_starts.size()); }
  int64_t layer_elements() const { return int64_t{2} * shape.kv_heads * kKvPageTokens * shape.head_dim; }
  int32_t query_stride() const { return (shape.heads + 2 * shape.kv_heads) * shape.head_dim; }
  size_t out_size() const {
    const int32_t outcomes = which == AttentionQueries::kAll ? tokens : rows();
    return static_cast<size_t>(outcomes) * shape.heads * shape.head_dim;
  }

  // Tokens and rows as a graph of a fixed shape pads them.
  void pad(int32_t more_tokens, int32_t more_rows) {
    tokens += more_tokens;
    qkv.resize(static_cast<size_t>(tokens) * query_stride(), kUnwritten);
    for (int32_t row = 0; row < more_rows; ++row) {
      row_offsets.push_back(row_offsets.back());
      page_offsets.push_back(page_offsets.back());
      row_starts.push_back(0);
    }
  }
};

class AttentionPrompts {
 public:
  // The first `shared_pages` pages of all prompts are the first prompt's.
  AttentionPrompts(cpu::QkvShape shape, const std::vector<int32_t>& lengths, int32_t shared_pages = 0)
      : shape_(shape), shared_pages_(shared_pages) {
    std::mt19937 generator(7);
    std::normal_distribution<float> normal;
    const size_t width = static_cast<size_t>(shape.heads + 2 * shape.kv_heads) * shape.head_dim;
    for (const int32_t length : lengths) {
      auto& prompt = projections.emplace_back(static_cast<size_t>(length) * width);
      for (uint16_t& value : prompt) value = bf16_of(normal(generator));
      const size_t shared = std::min(prompt.size(), static_cast<size_t>(shared_pages * kKvPageTokens) * width);
      std::copy_n(projections[0].begin(), shared, prompt.begin());
    }
  }

  int32_t length(int32_t prompt) const {
    return static_cast<int32_t>(projections[prompt].size() / static_cast<size_t>(width()));
  }

  std::vector<Stretch> whole() const {
    std::vector<Stretch> all;
    for (int32_t p = 0; p < static_cast<int32_t>(projections.size()); ++p) all.push_back({p, 0, length(p)});
    return all;
  }

  // Pages lie in no order, and are NaN where no token of the batch's rows or before them is.
  AttentionBatch batch(const std::vector<Stretch>& rows, AttentionQueries which = AttentionQueries::kAll) const {
    AttentionBatch batch;
    batch.shape = shape_;
    batch.which = which;
    batch.row_offsets = batch.page_offsets = {0};
    const int32_t all_pages = page_of(static_cast<int32_t>(projections.size()), 0);
    batch.memory.assign(static_cast<size_t>(all_pages * 2 * batch.layer_elements()), kUnwritten);
    for (const auto& [prompt, from, to] : rows) {
      const uint16_t* const tokens = projections[prompt].data();
      batch.qkv.insert(batch.qkv.end(), tokens + from * width(), tokens + to * width());
      batch.tokens += to - from;
      batch.max_keys = std::max(batch.max_keys, to);
      batch.row_offsets.push_back(batch.tokens);
      batch.row_starts.push_back(from);
      for (int32_t page = 0; page * kKvPageTokens < to; ++page) {
        // Any permutation will do: backwards.
        batch.pages.push_back(all_pages - 1 - page_of(page < shared_pages_ ? 0 : prompt, page));
      }
      const int32_t* const row_pages = batch.pages.data() + batch.page_offsets.back();
      for (int32_t t = 0; t < to; ++t) write(batch, row_pages[t / kKvPageTokens], t, tokens + t * width());
      batch.page_offsets.push_back(static_cast<int32_t>(batch.pages.size()));
    }
    return batch;
  }

  // By cpu::paged_attention in f32: (length, heads * head_dim).
  std::vector<float> expected(int32_t prompt) const {
    const int32_t tokens = length(prompt);
    std::vector<float> qkv;
    for (const uint16_t value : projections[prompt]) qkv.push_back(float_of(value));
    std::vector<float> cos_sin;  // of no turn
    for (int32_t i = 0; i < tokens * shape_.head_dim; ++i) {
      cos_sin.push_back(i % shape_.head_dim < shape_.head_dim / 2 ? 1.0f : 0.0f);
    }
    const size_t pages = static_cast<size_t>(tokens) / kKvPageTokens + 1;
    const auto page_bytes = static_cast<size_t>(cpu::kv_layer_bytes(shape_, cpu::KvFormat::kF32));
    std::vector<std::byte> memory(pages * page_bytes);
    std::vector<std::byte*> page_list;
    for (size_t page = 0; page < pages; ++page) page_list.push_back(memory.data() + page * page_bytes);
    const int32_t page_offsets[] = {0, static_cast<int32_t>(pages)}, row_offsets[] = {0, tokens}, row_starts[] = {0};
    const cpu::KvPages kv{page_list.data(), page_offsets, row_offsets, row_starts, 1, cpu::KvFormat::kF32};
    cpu::AttentionParameters parameters;
    parameters.shape = shape_;
    parameters.scale = scale(shape_);
    std::vector<float> queries(static_cast<size_t>(tokens) * shape_.heads * shape_.head_dim), out(queries.size());
    cpu::paged_attention(qkv.data(), cos_sin.data(), parameters, kv, 0, queries.data(), out.data(), tokens,
                         cpu::serial());
    return out;
  }

  static float scale(cpu::QkvShape shape) { return 1.0f / std::sqrt(static_cast<float>(shape.head_dim)); }

  int64_t width() const { return static_cast<int64_t>(shape_.heads + 2 * shape_.kv_heads) * shape_.head_dim; }

  std::vector<std::vector<uint16_t>> projections;  // (length, (heads + 2 * kv_heads) * head_dim) of each prompt

 private:
  // Numbers of pages as if no prompt shared one.
  int32_t page_of(int32_t prompt, int32_t page) const {
    for (int32_t before = 0; before < prompt; ++before) page += length(before) / kKvPageTokens + 1;
    return page;
  }

  void write(AttentionBatch& batch, int32_t page, int32_t position, const uint16_t* token) const {
    const int64_t layer = (int64_t{2} * page + 1) * batch.layer_elements();
    for (int32_t head = 0; head < 2 * shape_.kv_heads; ++head) {
      const int64_t slot = int64_t{head} * kKvPageTokens + position % kKvPageTokens;
      std::memcpy(&batch.memory[static_cast<size_t>(layer + slot * shape_.head_dim)],
                  token + int64_t{shape_.heads + head} * shape_.head_dim,
                  static_cast<size_t>(shape_.head_dim) * sizeof(uint16_t));
    }
  }

  cpu::QkvShape shape_;
  int32_t shared_pages_;
};

}  // namespace saferoute::cuda
