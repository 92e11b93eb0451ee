#include "cpu/paged_attention.h"

#include "cpu/paged_prompts.h"
#include "cpu/quantized_rows.h"
#include "model/model_spec.h"

namespace saferoute::cpu {
namespace {

static_assert(model::kMaxHeadDim <= kMaxHeadDim, "a spec that passes model::validate must fit the tiles");

class PagedAttention : public KernelTest {
 protected:
  void attend(PagedPrompts& prompts, const std::vector<Stretch>& batch) const {
    prompts.attend(batch, parallel_for(), kernels());
  }
};
INSTANTIATE_TEST_SUITE_P(Variants, PagedAttention, every_variant_and_schedule(), variant_and_schedule);

void expect_formula(const PagedPrompts& prompts, double tolerance) {
  for (size_t prompt = 0; prompt < prompts.outcomes.size(); ++prompt) {
    expect_close(prompts.outcomes[prompt], prompts.reference(static_cast<int32_t>(prompt)), tolerance);
  }
  EXPECT_TRUE(prompts.other_layer_is_untouched());
}

constexpr QkvShape kShapes[] = {
    {.heads = 1, .kv_heads = 1, .head_dim = 2},    // narrower than any vector
    {.heads = 2, .kv_heads = 2, .head_dim = 8},    //
    {.heads = 4, .kv_heads = 1, .head_dim = 40},   // half a vector over
    {.heads = 8, .kv_heads = 2, .head_dim = 64},   //
    {.heads = 8, .kv_heads = 1, .head_dim = 128},  //
    {.heads = 3, .kv_heads = 1, .head_dim = 10},   // tiles that end inside a token, head_dim off every grid
    {.heads = 80, .kv_heads = 1, .head_dim = 4},   // a token wider than a tile
    {.heads = 1, .kv_heads = 1, .head_dim = 256},  // the widest head
};

TEST_P(PagedAttention, MatchesItsFormula) {
  const std::vector<int32_t> batches[] = {{1}, {15, 16, 17}, {33}, {1, 1, 1}, {63, 64, 65}, {5, 1, 16, 33, 2}};
  for (const QkvShape& shape : kShapes) {
    for (const bool qk_norm : {false, true}) {
      for (const auto& lengths : batches) {
        PagedPrompts prompts(shape, lengths, qk_norm);
        attend(prompts, prompts.whole());
        expect_formula(prompts, 5e-6);
      }
    }
  }
}

TEST_P(PagedAttention, MatchesItsFormulaOverALongPrompt) {
  for (const QkvShape& shape : {QkvShape{4, 1, 64}, QkvShape{2, 2, 8}, QkvShape{8, 1, 40}}) {
    PagedPrompts prompts(shape, {300});
    attend(prompts, prompts.whole());
    expect_formula(prompts, 5e-6);
  }
}

TEST_P(PagedAttention, MatchesItsFormulaWhereRowsStartAtDifferentPositions) {
  PagedPrompts prompts({.heads = 4, .kv_heads = 2, .head_dim = 64}, {40, 17, 100, 16});
  attend(prompts, {{0, 0, 16}, {1, 0, 16}, {2, 0, 77}});
  attend(prompts, {{0, 16, 40}, {1, 16, 17}, {2, 77, 100}, {3, 0, 16}});
  expect_formula(prompts, 5e-6);
}

// Bit for bit, however much was computed before, and whatever an earlier user of the pages left behind the last token.
TEST_P(PagedAttention, WhatWasComputedBeforeDoesNotChangeAToken) {
  for (const QkvShape& shape : kShapes) {
    PagedPrompts prompts(shape, {40}, true);
    attend(prompts, prompts.whole());
    const auto at_once = prompts.outcomes[0];
    prompts.forget();
    attend(prompts, {{0, 0, 16}});
    attend(prompts, {{0, 16, 17}});
    attend(prompts, {{0, 17, 40}});
    ASSERT_EQ(prompts.outcomes[0], at_once) << shape.heads << " heads of " << shape.head_dim;
  }
}

TEST_P(PagedAttention, ATokenAtATimeIsTheSame) {
  PagedPrompts prompts({.heads = 4, .kv_heads = 1, .head_dim = 64}, {35});
  attend(prompts, prompts.whole());
  const auto at_once = prompts.outcomes[0];
  prompts.forget();
  for (int32_t t = 0; t < 35; ++t) attend(prompts, {{0, t, t + 1}});
  ASSERT_EQ(prompts.outcomes[0], at_once);
}

TEST_P(PagedAttention, ARowIsTheSameInEveryBatch) {
  for (const QkvShape& shape : {QkvShape{4, 1, 64}, QkvShape{3, 1, 10}, QkvShape{2, 2, 40}}) {
    PagedPrompts prompts(shape, {17, 1, 40, 300, 16, 3});
    attend(prompts, prompts.whole());
    const auto together = prompts.outcomes;
    prompts.forget();
    for (const Stretch& alone : prompts.whole()) attend(prompts, {alone});
    ASSERT_EQ(prompts.outcomes, together);
  }
}

// What lies behind a token must not reach it, not even as a rounding: a shared beginning of prompts has one outcome.
TEST_P(PagedAttention, AGrowingPromptKeepsItsFirstTokens) {
  constexpr QkvShape kShape = {.heads = 4, .kv_heads = 2, .head_dim = 64};
  PagedPrompts prompts(kShape, {100});
  attend(prompts, prompts.whole());
  const auto whole = prompts.outcomes[0];
  for (const int32_t length : {1, 15, 16, 17, 50, 99}) {
    prompts.forget();
    attend(prompts, {{0, 0, length}});
    const auto end = whole.begin() + length * static_cast<int64_t>(out_width_of(kShape));
    ASSERT_TRUE(std::equal(whole.begin(), end, prompts.outcomes[0].begin())) << length;
  }
}

// Scores that grow from block to block replace the running maximum each time; those that fall vanish against it.
TEST_P(PagedAttention, LargeScoresNeitherOverflowNorLoseTheMaximum) {
  for (const float slope : {30.0f, -30.0f}) {
    PagedPrompts prompts({.heads = 1, .kv_heads = 1, .head_dim = 8}, {100});
    for (size_t t = 0; t < 100; ++t) {
      prompts.projections[0][t * 24 + 3] = 1.0f;  // turns by 0.001 per token
      prompts.projections[0][t * 24 + 8 + 3] = slope * static_cast<float>(t);
    }
    attend(prompts, prompts.whole());
    expect_formula(prompts, 2e-4);
  }
}

// A prompt that holds one must not come out finite at its end, and its neighbours must not notice.
TEST_P(PagedAttention, NaNAndInfinityReachTheLastTokenOfTheirPromptAlone) {
  constexpr QkvShape kShape = {.heads = 2, .kv_heads = 1, .head_dim = 8};
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    for (const size_t column : {size_t{0}, size_t{16}, size_t{24}}) {  // query, key, value
      PagedPrompts prompts(kShape, {20, 20, 20});
      prompts.projections[1][(column == 0 ? 19 : 5) * width_of(kShape) + column] = bad;
      attend(prompts, prompts.whole());
      EXPECT_FALSE(std::isfinite(prompts.outcomes[1][19 * 16])) << bad << " in column " << column;
      for (const size_t other : {0, 2}) {
        for (const float value : prompts.outcomes[other]) ASSERT_TRUE(std::isfinite(value));
      }
    }
  }
}

// Attention between int8 projections is the f32 one between the two conversions, to the bit.
TEST_P(PagedAttention, QuantizedAgreesWithItsParts) {
  for (const QkvShape& shape : kShapes) {
    for (const int32_t length : {1, 16, 33, 70}) {
      const auto width = static_cast<int64_t>(width_of(shape)), out_width = static_cast<int64_t>(out_width_of(shape));
      PagedPrompts prompts(shape, {length}, true);
      std::vector<int32_t> sums;
      for (float& value : prompts.projections[0]) sums.push_back(static_cast<int32_t>(value * 10000.0f));
      const auto token_scale = random_floats(length, 7, 0.01f), weight_scale = random_floats(width, 8, 0.01f);
      dequantize_rows({sums.data(), token_scale.data(), weight_scale.data()}, prompts.projections[0].data(), length,
                      width, parallel_for(), kernels());
      attend(prompts, prompts.whole());
      std::vector<uint8_t> expected(length * out_width), out(expected.size());
      std::vector<float> expected_scale(length), out_scale(length);
      quantize_rows(prompts.outcomes[0].data(), expected.data(), expected_scale.data(), length, out_width,
                    parallel_for(), kernels());
      prompts.forget();
      prompts.run(prompts.whole(), [&](const auto&, const std::vector<float>& cos_sin, const KvPages& kv, int64_t) {
        std::vector<float> queries(out.size()), attended(out.size());
        paged_attention_quantized(sums.data(), token_scale.data(), weight_scale.data(), cos_sin.data(),
                                  prompts.parameters, kv, PagedPrompts::kLayer, queries.data(), attended.data(),
                                  out.data(), out_scale.data(), length, parallel_for(), kernels());
        return attended;
      });
      ASSERT_EQ(out, expected);
      ASSERT_EQ(out_scale, expected_scale);
    }
  }
}

// A row whose scale is not a number spoils what it produces and what later tokens make of it.
TEST_P(PagedAttention, QuantizedPassesNaNOn) {
  constexpr QkvShape kShape = {.heads = 2, .kv_heads = 1, .head_dim = 8};
  PagedPrompts prompts(kShape, {20});
  const std::vector<int32_t> sums(20 * width_of(kShape), -3);
  std::vector<float> token_scale(20, 1.0f), out_scale(20);
  const std::vector<float> weight_scale(width_of(kShape), 1.0f);
  token_scale[5] = NAN;
  prompts.run(prompts.whole(), [&](const auto&, const std::vector<float>& cos_sin, const KvPages& kv, int64_t tokens) {
    std::vector<float> queries(20 * 16), attended(20 * 16);
    std::vector<uint8_t> out(20 * 16);
    paged_attention_quantized(sums.data(), token_scale.data(), weight_scale.data(), cos_sin.data(), prompts.parameters,
                              kv, PagedPrompts::kLayer, queries.data(), attended.data(), out.data(), out_scale.data(),
                              tokens, parallel_for(), kernels());
    return attended;
  });
  for (size_t t = 5; t < 20; ++t) EXPECT_TRUE(std::isnan(out_scale[t])) << t;
}

}  // namespace
}  // namespace saferoute::cpu
