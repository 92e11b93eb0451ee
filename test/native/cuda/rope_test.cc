#include "cuda/rope.h"

#include <numeric>

#include "cpu/kernels.h"
#include "cpu/rope.h"
#include "cuda/bf16_values.h"
#include "cuda/device_test.h"

namespace saferoute::cuda {
namespace {

constexpr int32_t kLayers = 3, kLayer = 1;  // of the pages, and the one written

struct Shape {
  int32_t heads, kv_heads, head_dim;
  int32_t slots() const { return heads + 2 * kv_heads; }
};

// Rows of a batch: (tokens before, tokens new). Pages are handed out from the last on, so that none is where its number
// in the prompt would have it. The last two tokens are padding.
class Rope : public DeviceTest {
 protected:
  void prepare(const Shape& of, const std::vector<std::pair<int32_t, int32_t>>& rows) {
    shape = of;
    offsets = {0};
    page_offsets = {0};
    token_row.clear();
    positions.clear();
    for (const auto& [before, count] : rows) {
      for (int32_t t = 0; t < count; ++t) {
        token_row.push_back(static_cast<int32_t>(offsets.size()) - 1);
        positions.push_back(before + t);
      }
      offsets.push_back(offsets.back() + count);
      page_offsets.push_back(page_offsets.back() + (before + count + kKvPageTokens - 1) / kKvPageTokens);
    }
    for (int padding = 0; padding < 2; ++padding) {
      token_row.push_back(kNoRow);
      positions.push_back(0);
    }
    pages.resize(page_offsets.back());
    std::iota(pages.rbegin(), pages.rend(), 0);
    qkv = rounded_to_bf16(random_floats(token_row.size() * shape.slots() * shape.head_dim, 5));
    inverse_frequency.resize(shape.head_dim / 2);
    for (size_t i = 0; i < inverse_frequency.size(); ++i) {
      inverse_frequency[i] = std::pow(10000.0f, -2.0f * static_cast<float>(i) / static_cast<float>(shape.head_dim));
    }
    query_weight = random_floats(shape.head_dim, 6);
    key_weight = random_floats(shape.head_dim, 7);
  }

  int64_t layer_bytes() const { return kv_layer_bytes(shape.kv_heads, shape.head_dim); }
  int64_t page_bytes() const { return kLayers * layer_bytes(); }

  // Elements of the layer in a page.
  int64_t element(int32_t kv_slot, int32_t position) const {
    return (static_cast<int64_t>(kv_slot) * kKvPageTokens + position % kKvPageTokens) * shape.head_dim;
  }

  // What one head of a token becomes.
  std::vector<float> expected_head(size_t token, int32_t slot, bool norm) const {
    const auto at = qkv.begin() + static_cast<int64_t>(token * shape.slots() + slot) * shape.head_dim;
    std::vector<float> head(at, at + shape.head_dim);
    if (slot >= shape.heads + shape.kv_heads) return head;
    const cpu::Kernels& kernels = cpu::best_kernels();
    const std::vector<float>& weight = slot < shape.heads ? query_weight : key_weight;
    if (norm) kernels.rms_norm(head.data(), weight.data(), head.data(), shape.head_dim, 1e-6f);
    std::vector<float> cos_sin(shape.head_dim);
    cpu::rope_table(&positions[token], inverse_frequency.data(), cos_sin.data(), 1, shape.head_dim, cpu::serial());
    kernels.rope(head.data(), cos_sin.data(), head.data(), shape.head_dim);
    return head;
  }

  void expect_cpu(bool norm) {
    const auto tokens = static_cast<int32_t>(token_row.size());
    DeviceVector<Bf16> on_qkv(to_bf16(qkv));
    DeviceVector<float> cos_sin(tokens * shape.head_dim), frequencies(inverse_frequency);
    DeviceVector<float> on_query_weight(query_weight), on_key_weight(key_weight);
    DeviceVector<int32_t> on_row(token_row), on_positions(positions), on_pages(pages), on_page_offsets(page_offsets);
    DeviceVector<std::byte> memory(page_bytes() * static_cast<int64_t>(pages.size()));
    const BatchView batch{.token_row = on_row.data(),
                          .positions = on_positions.data(),
                          .pages = on_pages.data(),
                          .page_offsets = on_page_offsets.data(),
                          .token_count = tokens};
    const KvLayer kv{.base = memory.data() + kLayer * layer_bytes(),
                     .page_bytes = page_bytes(),
                     .kv_heads = shape.kv_heads,
                     .head_dim = shape.head_dim};
    const QkNorm weights{.query_weight = norm ? on_query_weight.data() : nullptr,
                         .key_weight = norm ? on_key_weight.data() : nullptr,
                         .eps = 1e-6f};
    rope_table(on_positions.data(), frequencies.data(), cos_sin.data(), tokens, shape.head_dim, stream_);
    rope(on_qkv.data(), cos_sin.data(), weights, kv, batch, shape.heads, stream_);

    const std::vector<Bf16> queries = on_qkv.read();
    std::vector<std::byte> pages_after = memory.read();
    const std::byte unwritten{0xFF};
    for (size_t token = 0; token < token_row.size(); ++token) {
      for (int32_t slot = 0; slot < shape.slots(); ++slot) {
        SCOPED_TRACE(testing::Message() << "token " << token << ", head " << slot << " of " << shape.head_dim);
        const auto own = queries.begin() + static_cast<int64_t>(token * shape.slots() + slot) * shape.head_dim;
        std::vector<Bf16> got(own, own + shape.head_dim);
        if (token_row[token] == kNoRow) {
          const auto before = qkv.begin() + static_cast<int64_t>(token * shape.slots() + slot) * shape.head_dim;
          expect_near(to_floats(got), {before, before + shape.head_dim}, 0);
          continue;
        }
        if (slot >= shape.heads) {
          const int32_t page = pages[page_offsets[token_row[token]] + positions[token] / kKvPageTokens];
          const int64_t at = page * page_bytes() + kLayer * layer_bytes() +
                             element(slot - shape.heads, positions[token]) * kKvElementBytes;
          std::memcpy(got.data(), pages_after.data() + at, got.size() * sizeof(Bf16));
          std::fill_n(pages_after.begin() + at, got.size() * sizeof(Bf16), unwritten);
        }
        expect_near(to_floats(got), expected_head(token, slot, norm), kBf16Step);
      }
    }
    // Nothing else was written: other layers, other tokens of the pages, keys of padding.
    for (const std::byte byte : pages_after) ASSERT_EQ(byte, unwritten);
  }

  Shape shape{};
  std::vector<int32_t> offsets, page_offsets, token_row, positions, pages;
  std::vector<float> qkv, inverse_frequency, query_weight, key_weight;
};

// One vector to a half, several, halves that are no whole vectors, and the widest.
constexpr Shape kShapes[] = {{2, 1, 16}, {1, 1, 32},  {4, 2, 40},  {3, 1, 64},
                             {2, 2, 80}, {4, 1, 128}, {1, 1, 250}, {2, 1, 256}};

TEST_F(Rope, MatchesTheCpuAndWritesKeysAndValuesWhereTheyBelong) {
  for (const Shape& of : kShapes) {
    prepare(of, {{0, 1}, {15, 3}, {16, 2}, {33, 15}});
    expect_cpu(false);
  }
}

TEST_F(Rope, NormsQueriesAndKeysFirstWhereAGuardDoes) {
  for (const Shape& of : kShapes) {
    prepare(of, {{5, 12}, {0, 3}});
    expect_cpu(true);
  }
}

TEST_F(Rope, AnglesOfFarPositions) {
  const std::vector<int32_t> far = {0, 1, 131071, 16777216};
  prepare({1, 1, 128}, {{0, 1}});
  DeviceVector<int32_t> on_positions(far);
  DeviceVector<float> frequencies(inverse_frequency), cos_sin(static_cast<int64_t>(far.size()) * 128);
  rope_table(on_positions.data(), frequencies.data(), cos_sin.data(), static_cast<int>(far.size()), 128, stream_);
  std::vector<float> expected(far.size() * 128);
  cpu::rope_table(far.data(), inverse_frequency.data(), expected.data(), static_cast<int64_t>(far.size()), 128,
                  cpu::serial());
  expect_near(cos_sin.read(), expected, 1e-6f);
}

TEST_F(Rope, NoTokensAreNoWork) {
  rope_table(nullptr, nullptr, nullptr, 0, 64, stream_);
  rope(nullptr, nullptr, {}, {.kv_heads = 1, .head_dim = 64}, {}, 1, stream_);
}

}  // namespace
}  // namespace saferoute::cuda
