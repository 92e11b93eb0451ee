// Attention over keys and values in bf16, on the tile unit.
#include "cpu/bf16_pages.h"
#include "cpu/paged_prompts.h"
#include "cpu/quantized_rows.h"
#include "cpu/tile_unit.h"

namespace saferoute::cpu {
namespace {

// What the rounding of weights to 8 bits makes of outcomes around 1; those of queries, keys and values are in the
// reference too, but for ties that f32 sees otherwise.
constexpr double kTolerance = 0.01;

// Over schedules.
class Bf16Attention : public testing::TestWithParam<Schedule> {
 protected:
  void SetUp() override {
    if (!has_bf16_tiles()) GTEST_SKIP() << "this CPU has no bf16 tiles, or the system does not let us use them";
  }

  static PagedPrompts prompts(QkvShape shape, const std::vector<int32_t>& lengths, bool qk_norm = false) {
    return PagedPrompts(shape, lengths, qk_norm, KvFormat::kBf16);
  }
  void attend(PagedPrompts& prompts, const std::vector<Stretch>& batch) const {
    prompts.attend(batch, GetParam().parallel_for, best_kernels());
  }
};

INSTANTIATE_TEST_SUITE_P(Schedules, Bf16Attention,
                         testing::Values(Schedule{"serial", serial()}, Schedule{"reversed", reversed()},
                                         Schedule{"threaded", threaded()}),
                         [](const auto& info) { return info.param.name; });

constexpr QkvShape kShapes[] = {
    {.heads = 1, .kv_heads = 1, .head_dim = 2},    // mostly padding
    {.heads = 2, .kv_heads = 2, .head_dim = 32},   // a tile's row
    {.heads = 4, .kv_heads = 1, .head_dim = 40},   // a quarter of one over
    {.heads = 8, .kv_heads = 2, .head_dim = 64},   //
    {.heads = 8, .kv_heads = 1, .head_dim = 128},  //
    {.heads = 3, .kv_heads = 1, .head_dim = 10},   // tiles that end inside a token
    {.heads = 80, .kv_heads = 1, .head_dim = 4},   // a token wider than a tile
    {.heads = 1, .kv_heads = 1, .head_dim = 256},  // the widest head
};

void expect_formula(const PagedPrompts& prompts) {
  for (size_t prompt = 0; prompt < prompts.outcomes.size(); ++prompt) {
    expect_close(prompts.outcomes[prompt], prompts.reference(static_cast<int32_t>(prompt)), kTolerance);
  }
  EXPECT_TRUE(prompts.other_layer_is_untouched());
}

TEST_P(Bf16Attention, MatchesItsFormula) {
  const std::vector<int32_t> batches[] = {{1}, {15, 16, 17}, {33}, {1, 1, 1}, {63, 64, 65}, {5, 1, 16, 33, 2}, {300}};
  for (const QkvShape& shape : kShapes) {
    for (const bool qk_norm : {false, true}) {
      for (const auto& lengths : batches) {
        SCOPED_TRACE(testing::Message() << shape.heads << " heads of " << shape.head_dim << ", " << lengths[0]);
        PagedPrompts some = prompts(shape, lengths, qk_norm);
        attend(some, some.whole());
        expect_formula(some);
      }
    }
  }
}

// Bit for bit, however much was computed before, and whatever an earlier user of the pages left behind the last token.
TEST_P(Bf16Attention, WhatWasComputedBeforeDoesNotChangeAToken) {
  for (const QkvShape& shape : kShapes) {
    PagedPrompts one = prompts(shape, {150}, true);
    attend(one, one.whole());
    const auto at_once = one.outcomes[0];
    for (const std::vector<int32_t>& cuts : {std::vector<int32_t>{0, 16, 17, 150}, {0, 5, 63, 64, 65, 149, 150}}) {
      one.forget();
      for (size_t cut = 1; cut < cuts.size(); ++cut) attend(one, {{0, cuts[cut - 1], cuts[cut]}});
      ASSERT_EQ(one.outcomes[0], at_once) << shape.heads << " heads of " << shape.head_dim;
    }
  }
}

TEST_P(Bf16Attention, ATokenAtATimeIsTheSame) {
  PagedPrompts one = prompts({.heads = 4, .kv_heads = 1, .head_dim = 64}, {70});
  attend(one, one.whole());
  const auto at_once = one.outcomes[0];
  one.forget();
  for (int32_t t = 0; t < 70; ++t) attend(one, {{0, t, t + 1}});
  ASSERT_EQ(one.outcomes[0], at_once);
}

// The pages of a prompt that ended there are used again: what they hold behind the shorter one's end must not matter.
TEST_P(Bf16Attention, AnEarlierPromptInThePagesLeavesNothingBehind) {
  PagedPrompts pages = prompts({.heads = 4, .kv_heads = 2, .head_dim = 64}, {60});
  attend(pages, {{0, 0, 21}});
  const std::vector<float> expected = pages.outcomes[0];
  const auto sane = pages.projections[0];
  for (float& value : pages.projections[0]) value = NAN;
  attend(pages, pages.whole());
  pages.projections[0] = sane;
  attend(pages, {{0, 0, 21}});
  const auto end = expected.begin() + 21 * 4 * 64;
  ASSERT_TRUE(std::equal(expected.begin(), end, pages.outcomes[0].begin()));
}

TEST_P(Bf16Attention, ARowIsTheSameInEveryBatch) {
  for (const QkvShape& shape : {QkvShape{4, 1, 64}, QkvShape{3, 1, 10}, QkvShape{2, 2, 40}}) {
    PagedPrompts some = prompts(shape, {17, 1, 40, 300, 16, 3});
    attend(some, some.whole());
    const auto together = some.outcomes;
    for (const Stretch& alone : some.whole()) attend(some, {alone});
    ASSERT_EQ(some.outcomes, together);
  }
}

// Scores that grow from block to block replace the running maximum each time; those that fall vanish against it.
TEST_P(Bf16Attention, LargeScoresNeitherOverflowNorLoseTheMaximum) {
  for (const float slope : {32.0f, -32.0f}) {
    PagedPrompts one = prompts({.heads = 1, .kv_heads = 1, .head_dim = 8}, {200});
    for (size_t t = 0; t < 200; ++t) {
      float* const token = &one.projections[0][t * 24];
      std::fill(token, token + 16, 0.0f);
      token[3] = 1.0f;  // turns by 0.001 per token, less than the rounding for the first few
      token[8 + 3] = slope * static_cast<float>(t);
    }
    attend(one, one.whole());
    // The weight of all keys but the nearest maximum is e^-11 and less.
    for (size_t t = 1; t < 20; ++t) {
      const float* const value = &one.projections[0][(slope > 0 ? t : 0) * 24 + 16];
      for (size_t d = 0; d < 8; ++d) ASSERT_NEAR(one.outcomes[0][t * 8 + d], value[d], 0.02) << "token " << t;
    }
    for (const float value : one.outcomes[0]) ASSERT_TRUE(std::isfinite(value));
  }
}

// A prompt that holds one must not come out finite at its end, and its neighbours must not notice.
TEST_P(Bf16Attention, NaNAndInfinityReachTheLastTokenOfTheirPromptAlone) {
  constexpr QkvShape kShape = {.heads = 2, .kv_heads = 1, .head_dim = 8};
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    for (const size_t column : {size_t{0}, size_t{16}, size_t{24}}) {  // query, key, value
      PagedPrompts some = prompts(kShape, {20, 20, 20});
      some.projections[1][(column == 0 ? 19 : 5) * width_of(kShape) + column] = bad;
      attend(some, some.whole());
      EXPECT_FALSE(std::isfinite(some.outcomes[1][19 * 16])) << bad << " in column " << column;
      for (const size_t other : {0, 2}) {
        for (const float value : some.outcomes[other]) ASSERT_TRUE(std::isfinite(value));
      }
    }
  }
}

TEST_P(Bf16Attention, ValuesAreRoundedToNearestEven) {
  PagedPrompts one = prompts({.heads = 1, .kv_heads = 1, .head_dim = 2}, {1});
  for (const auto& [value, rounded] : {std::pair{1.0f + 0x1p-8f, 1.0f}, {1.0f + 0x3p-8f, 1.0f + 0x1p-6f}}) {
    one.projections[0][4] = value;
    attend(one, one.whole());
    EXPECT_EQ(one.outcomes[0][0], rounded);
  }
}

}  // namespace
}  // namespace saferoute::cpu
