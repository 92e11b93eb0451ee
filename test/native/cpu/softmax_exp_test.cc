// How close attention's weights are to exponentials: prompts of two tokens, whose scores are 0 and x.
#include <numeric>

#include "cpu/kernel_test.h"
#include "cpu/kv_pages.h"
#include "cpu/paged_attention.h"
#include "cpu/tile_unit.h"

namespace saferoute::cpu {
namespace {

constexpr QkvShape kShape = {.heads = 1, .kv_heads = 1, .head_dim = 2};
constexpr int64_t kWidth = 6;  // of a token's projection: query, key, value

// What the second token of a prompt gets, for each x: (v0 + v1 * w) / (1 + w), where w stands for e^x.
std::vector<double> outcomes(const std::vector<float>& x, float v0, float v1, KvFormat format, const Kernels& kernels) {
  const auto prompts = static_cast<int64_t>(x.size());
  std::vector<float> qkv(prompts * 2 * kWidth, 0.0f), cos_sin, queries(prompts * 4), out(prompts * 4);
  for (int64_t p = 0; p < prompts; ++p) {
    float* const first = &qkv[p * 2 * kWidth];
    float* const second = first + kWidth;
    first[4] = v0;
    second[0] = 1.0f;
    second[2] = x[p];
    second[4] = v1;
    cos_sin.insert(cos_sin.end(), {1.0f, 0.0f, 1.0f, 0.0f});
  }
  const int64_t page_bytes = kv_layer_bytes(kShape, format);
  std::vector<std::byte> memory(prompts * page_bytes);
  std::vector<std::byte*> pages;
  for (int64_t p = 0; p < prompts; ++p) pages.push_back(memory.data() + p * page_bytes);
  std::vector<int32_t> page_offsets(prompts + 1), row_offsets, row_starts(prompts, 0);
  std::iota(page_offsets.begin(), page_offsets.end(), 0);
  for (int32_t offset : page_offsets) row_offsets.push_back(2 * offset);
  const AttentionParameters parameters{.shape = kShape};
  const KvPages kv{pages.data(), page_offsets.data(), row_offsets.data(), row_starts.data(), prompts, format};
  paged_attention(qkv.data(), cos_sin.data(), parameters, kv, 0, queries.data(), out.data(), 2 * prompts, serial(),
                  kernels);
  std::vector<double> seconds;
  for (int64_t p = 0; p < prompts; ++p) seconds.push_back(out[p * 4 + 2]);
  return seconds;
}

class SoftmaxExp : public testing::TestWithParam<const Kernels*> {};
INSTANTIATE_TEST_SUITE_P(Variants, SoftmaxExp,
                         testing::ValuesIn(supported_kernels().begin(), supported_kernels().end()),
                         [](const auto& info) { return info.param->name; });

TEST_P(SoftmaxExp, IsCloseToTheExponentialInF32) {
  std::vector<float> x;
  for (int i = 0; i < 20000; ++i) x.push_back(-87.0f * static_cast<float>(i) / 20000.0f);
  const std::vector<double> out = outcomes(x, 0, 1, KvFormat::kF32, *GetParam());
  for (size_t i = 0; i < x.size(); ++i) {
    const double weight = out[i] / (1 - out[i]);
    const double bound = 0x1p-21 + std::abs(x[i]) * 0x1p-23;  // half of the first for adding and dividing
    ASSERT_NEAR(weight / std::exp(static_cast<double>(x[i])), 1, bound) << "x = " << x[i];
  }
}

TEST_P(SoftmaxExp, IsExactAtBothEnds) {
  const std::vector<double> out = outcomes({0.0f, -88.0f, -100.0f, -1e4f, -1e30f}, 0, 1, KvFormat::kF32, *GetParam());
  EXPECT_EQ(out, (std::vector<double>{0.5, 0, 0, 0, 0}));
}

// A value of 0 leaves nothing of the second weight, which is rounded, but in their sum, which is not.
TEST(SoftmaxExpInTiles, IsCloseToTheExponential) {
  if (!has_bf16_tiles()) GTEST_SKIP() << "this CPU has no bf16 tiles, or the system does not let us use them";
  std::vector<float> x;
  for (int i = 0; i < 256; ++i) x.push_back(static_cast<float>(-i) / 64.0f);  // exact in bf16
  const std::vector<double> out = outcomes(x, 1, 0, KvFormat::kBf16, best_kernels());
  for (size_t i = 0; i < x.size(); ++i) {
    const double exact = std::exp(static_cast<double>(x[i]));
    const double rounding = 0x1p-23 * (1 + exact) * (1 + exact) / exact;  // of adding and dividing
    ASSERT_NEAR((1 / out[i] - 1) / exact, 1, 0x1p-18 + std::abs(x[i]) * 0x1p-23 + rounding) << "x = " << x[i];
  }
}

TEST(SoftmaxExpInTiles, IsExactAtBothEnds) {
  if (!has_bf16_tiles()) GTEST_SKIP() << "this CPU has no bf16 tiles, or the system does not let us use them";
  const std::vector<double> out = outcomes({0.0f, -88.0f, -1e4f, -1e30f}, 0, 1, KvFormat::kBf16, best_kernels());
  EXPECT_EQ(out, (std::vector<double>{0.5, 0, 0, 0}));
}

}  // namespace
}  // namespace saferoute::cpu
