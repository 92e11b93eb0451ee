// Prompts for the tests of attention: their projections, their pages of keys and values, and what attention must make
// of them, by its formula in double.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <random>
#include <vector>

#include "cpu/kernel_test.h"
#include "cpu/paged_attention.h"
#include "cpu/rope.h"

namespace saferoute::cpu {

inline size_t width_of(QkvShape shape) {
  return static_cast<size_t>(shape.heads + 2 * shape.kv_heads) * shape.head_dim;
}
inline size_t out_width_of(QkvShape shape) { return static_cast<size_t>(shape.heads) * shape.head_dim; }

// Tokens [from, to) of a prompt, as a row of a batch.
struct Stretch {
  int32_t prompt, from, to;
};

// Pages lie in no order, hold two layers, of which the second is used, and are NaN until they are written.
class PagedPrompts {
 public:
  static constexpr int64_t kLayers = 2, kLayer = 1;

  PagedPrompts(QkvShape shape, const std::vector<int32_t>& lengths, bool qk_norm = false,
               KvFormat format = KvFormat::kF32)
      : shape_(shape),
        format_(format),
        q_norm_(random_floats(shape.head_dim, 1)),
        k_norm_(random_floats(shape.head_dim, 2)),
        inverse_frequency_(shape.head_dim / 2) {
    parameters.shape = shape;
    parameters.scale = 1.0f / std::sqrt(static_cast<float>(shape.head_dim));
    if (qk_norm) {
      parameters.q_norm = q_norm_.data();
      parameters.k_norm = k_norm_.data();
    }
    for (size_t i = 0; i < inverse_frequency_.size(); ++i) {
      inverse_frequency_[i] =
          std::pow(10000.0f, -static_cast<float>(i) / static_cast<float>(inverse_frequency_.size()));
    }
    for (const int32_t length : lengths) {
      projections.push_back(random_floats(length * width_of(shape), 10 + static_cast<unsigned>(projections.size())));
      outcomes.emplace_back(length * out_width_of(shape), -1.0f);
    }
    forget();
  }
  PagedPrompts(const PagedPrompts&) = delete;
  PagedPrompts& operator=(const PagedPrompts&) = delete;

  int32_t length(int32_t prompt) const { return static_cast<int32_t>(projections[prompt].size() / width_of(shape_)); }

  std::vector<Stretch> whole() const {
    std::vector<Stretch> all;
    for (int32_t prompt = 0; prompt < static_cast<int32_t>(projections.size()); ++prompt) {
      all.push_back({prompt, 0, length(prompt)});
    }
    return all;
  }

  // Starts over with unwritten pages.
  void forget() {
    const size_t page_bytes = kLayers * kv_layer_bytes(shape_, format_);
    std::vector<size_t> order(1);
    for (const auto& projection : projections) {
      order.resize(order.size() + projection.size() / width_of(shape_) / kKvPageTokens + 1);
    }
    std::iota(order.begin(), order.end(), size_t{0});
    std::shuffle(order.begin(), order.end(), std::mt19937(3));
    memory_.assign(order.size() * page_bytes, kUnwritten);
    pages_.clear();
    size_t next = 0;
    for (const auto& projection : projections) {
      pages_.emplace_back(projection.size() / width_of(shape_) / kKvPageTokens + 1);
      for (std::byte*& page : pages_.back()) page = memory_.data() + order[next++] * page_bytes;
    }
  }

  // One batch: call(qkv, cos_sin, pages, tokens) gets what the op takes, and returns (tokens, heads * head_dim),
  // which goes to `outcomes`.
  template <typename F>
  void run(const std::vector<Stretch>& batch, F&& call) {
    std::vector<int32_t> row_offsets = {0}, page_offsets = {0}, row_starts, positions;
    std::vector<std::byte*> pages;
    std::vector<float> qkv;
    for (const auto& [prompt, from, to] : batch) {
      row_starts.push_back(from);
      row_offsets.push_back(row_offsets.back() + to - from);
      for (int32_t position = from; position < to; ++position) positions.push_back(position);
      pages.insert(pages.end(), pages_[prompt].begin(), pages_[prompt].end());
      page_offsets.push_back(static_cast<int32_t>(pages.size()));
      const float* first = projections[prompt].data();
      qkv.insert(qkv.end(), first + from * width_of(shape_), first + to * width_of(shape_));
    }
    std::vector<float> cos_sin(positions.size() * shape_.head_dim);
    const auto tokens = static_cast<int64_t>(positions.size());
    rope_table(positions.data(), inverse_frequency_.data(), cos_sin.data(), tokens, shape_.head_dim, serial());
    const KvPages kv{
        pages.data(), page_offsets.data(), row_offsets.data(), row_starts.data(), static_cast<int64_t>(batch.size()),
        format_};
    const std::vector<float> out = call(qkv, cos_sin, kv, tokens);
    for (size_t row = 0; row < batch.size(); ++row) {
      std::copy(out.begin() + row_offsets[row] * static_cast<int64_t>(out_width_of(shape_)),
                out.begin() + row_offsets[row + 1] * static_cast<int64_t>(out_width_of(shape_)),
                outcomes[batch[row].prompt].begin() + batch[row].from * static_cast<int64_t>(out_width_of(shape_)));
    }
  }

  // One batch in f32.
  void attend(const std::vector<Stretch>& batch, ParallelFor parallel_for, const Kernels& kernels) {
    run(batch,
        [&](const std::vector<float>& qkv, const std::vector<float>& cos_sin, const KvPages& kv, int64_t tokens) {
          std::vector<float> queries(tokens * out_width_of(shape_)), out(queries.size());
          paged_attention(qkv.data(), cos_sin.data(), parameters, kv, kLayer, queries.data(), out.data(), tokens,
                          parallel_for, kernels);
          return out;
        });
  }

  // (length, heads * head_dim)
  std::vector<double> reference(int32_t prompt) const {
    const int64_t dim = shape_.head_dim, stride = static_cast<int64_t>(width_of(shape_));
    std::vector<double> rotated(projections[prompt].begin(), projections[prompt].end());
    for (int64_t t = 0; t < length(prompt); ++t) {
      for (int64_t h = 0; h < shape_.heads + shape_.kv_heads; ++h) {
        rotate(&rotated[t * stride + h * dim], t, h < shape_.heads ? parameters.q_norm : parameters.k_norm);
      }
      if (format_ == KvFormat::kBf16) round_to_bf16(&rotated[t * stride]);
    }
    std::vector<double> out;
    for (int64_t t = 0; t < length(prompt); ++t) {
      for (int64_t h = 0; h < shape_.heads; ++h) {
        const int64_t kv = h / (shape_.heads / shape_.kv_heads);
        attend_one(&rotated[t * stride + h * dim], &rotated[(shape_.heads + kv) * dim],
                   &rotated[(shape_.heads + shape_.kv_heads + kv) * dim], t, out);
      }
    }
    return out;
  }

  // What belongs to the layer that is not in use.
  bool other_layer_is_untouched() const {
    const size_t layer_bytes = kv_layer_bytes(shape_, format_);
    for (size_t page = 0; page < memory_.size(); page += kLayers * layer_bytes) {
      for (size_t i = 0; i < layer_bytes; ++i) {
        if (memory_[page + i] != kUnwritten) return false;
      }
    }
    return true;
  }

  AttentionParameters parameters;
  std::vector<std::vector<float>> projections;  // (length, (heads + 2 * kv_heads) * head_dim) of each prompt
  std::vector<std::vector<float>> outcomes;     // (length, heads * head_dim) of each prompt

 private:
  void rotate(double* head, int64_t position, const float* norm) const {
    const int64_t dim = shape_.head_dim;
    if (norm) {
      const double squares = std::inner_product(head, head + dim, head, 0.0);
      for (int64_t i = 0; i < dim; ++i)
        head[i] *= norm[i] / std::sqrt(squares / static_cast<double>(dim) + parameters.eps);
    }
    for (int64_t i = 0; i < dim / 2; ++i) {
      const double angle = static_cast<float>(position) * inverse_frequency_[i];
      const double a = head[i], b = head[dim / 2 + i];
      head[i] = a * std::cos(angle) - b * std::sin(angle);
      head[dim / 2 + i] = b * std::cos(angle) + a * std::sin(angle);
    }
  }

  // Queries, which are scaled by then, keys and values of a token.
  void round_to_bf16(double* token) const {
    const size_t queries = out_width_of(shape_);
    for (size_t i = 0; i < width_of(shape_); ++i) {
      const double scale = i < queries ? parameters.scale : 1.0;
      int exponent;
      const double mantissa = std::frexp(token[i] * scale, &exponent);
      token[i] = std::ldexp(std::nearbyint(std::ldexp(mantissa, 8)), exponent - 8) / scale;
    }
  }

  // Appends softmax(scale · query · keys) · values over the first t + 1 keys.
  void attend_one(const double* query, const double* keys, const double* values, int64_t t,
                  std::vector<double>& out) const {
    const int64_t dim = shape_.head_dim, stride = static_cast<int64_t>(width_of(shape_));
    std::vector<double> weights(t + 1);
    for (int64_t j = 0; j <= t; ++j) {
      weights[j] = parameters.scale * std::inner_product(query, query + dim, keys + j * stride, 0.0);
    }
    const double maximum = *std::max_element(weights.begin(), weights.end());
    for (double& weight : weights) weight = std::exp(weight - maximum);
    const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (int64_t d = 0; d < dim; ++d) {
      double sum = 0;
      for (int64_t j = 0; j <= t; ++j) sum += weights[j] * values[j * stride + d];
      out.push_back(sum / total);
    }
  }

  static constexpr std::byte kUnwritten{0xff};  // a float or bf16 of these is NaN

  QkvShape shape_;
  KvFormat format_;
  std::vector<float> q_norm_, k_norm_, inverse_frequency_;
  std::vector<std::byte> memory_;
  std::vector<std::vector<std::byte*>> pages_;  // of each prompt
};

}  // namespace saferoute::cpu
