// What attention must do, on whatever runs it: a fixture with run(batch, spread), which returns the outcomes, (tokens
// or rows, heads * head_dim) of bf16, unwritten ones kUnwritten, and spreads chunks of keys over blocks or does not.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/attention_prompts.h"

namespace saferoute::cuda {

template <typename Runner>
class AttentionChecks : public Runner {
 protected:
  // What rounding the softmax's weights and the outcomes to 8 bits makes of outcomes around 1.
  static constexpr float kTolerance = 0.012f;

  static size_t out_width(cpu::QkvShape shape) { return static_cast<size_t>(shape.heads) * shape.head_dim; }

  // Runs rows of `prompts` and compares each with the CPU.
  void expect_cpu(const AttentionPrompts& prompts, const AttentionBatch& batch, const std::vector<Stretch>& rows,
                  bool spread) {
    const std::vector<uint16_t> out = this->run(batch, spread);
    const size_t width = out_width(batch.shape);
    for (size_t row = 0; row < rows.size(); ++row) {
      const std::vector<float> expected = prompts.expected(rows[row].prompt);
      const bool all = batch.which == AttentionQueries::kAll;
      const auto begin = all ? static_cast<size_t>(batch.row_offsets[row]) : row;
      const auto first = static_cast<size_t>(all ? rows[row].from : rows[row].to - 1);
      const size_t count = static_cast<size_t>(rows[row].to) - first;
      for (size_t i = 0; i < count * width; ++i) {
        const float wanted = expected[first * width + i], got = float_of(out[begin * width + i]);
        ASSERT_LE(std::abs(got - wanted), kTolerance * std::max(1.0f, std::abs(wanted)))
            << "row " << row << ", token " << first + i / width << ", column " << i % width << ": " << got
            << " instead of " << wanted;
      }
    }
  }

  // A stretch's outcome, cut out of a batch's.
  static std::vector<uint16_t> row_of(const std::vector<uint16_t>& out, const AttentionBatch& batch, size_t row) {
    const auto width = static_cast<int64_t>(out_width(batch.shape));
    return {out.begin() + batch.row_offsets[row] * width, out.begin() + batch.row_offsets[row + 1] * width};
  }
};

TYPED_TEST_SUITE_P(AttentionChecks);

TYPED_TEST_P(AttentionChecks, MatchesTheCpu) {
  const cpu::QkvShape shapes[] = {{1, 1, 8},  {4, 2, 16}, {3, 1, 40},  {2, 2, 64}, {8, 2, 64},
                                  {8, 1, 64}, {1, 1, 72}, {4, 1, 128}, {2, 1, 256}};
  for (const cpu::QkvShape& shape : shapes) {
    for (const auto& lengths : {std::vector<int32_t>{1}, {15, 16, 17}, {5, 1, 33, 70}}) {
      SCOPED_TRACE(testing::Message() << shape.heads << " heads, " << shape.kv_heads << " kv heads of "
                                      << shape.head_dim << ", " << lengths[0]);
      const AttentionPrompts prompts(shape, lengths);
      this->expect_cpu(prompts, prompts.batch(prompts.whole()), prompts.whole(), false);
      if (this->HasFatalFailure()) return;
    }
  }
}

TYPED_TEST_P(AttentionChecks, WalksAndSpreadsManyChunks) {
  for (const cpu::QkvShape& shape : {cpu::QkvShape{2, 1, 64}, cpu::QkvShape{1, 1, 128}, cpu::QkvShape{1, 1, 256}}) {
    const AttentionPrompts prompts(shape, {600, 256, 257});
    const std::vector<Stretch> rows = {{0, 590, 600}, {1, 250, 256}, {2, 230, 257}};
    const AttentionBatch batch = prompts.batch(rows);
    this->expect_cpu(prompts, batch, rows, false);
    this->expect_cpu(prompts, batch, rows, true);
    if (this->HasFatalFailure()) return;
    EXPECT_EQ(this->run(batch, true), this->run(batch, false)) << "head_dim " << shape.head_dim;
  }
}

// Bit for bit, however much was computed before.
TYPED_TEST_P(AttentionChecks, WhatWasComputedBeforeDoesNotChangeAToken) {
  const AttentionPrompts prompts({4, 2, 64}, {300});
  const AttentionBatch whole = prompts.batch(prompts.whole());
  const std::vector<uint16_t> at_once = this->run(whole, false);
  const auto width = static_cast<int64_t>(this->out_width(whole.shape));
  for (const auto& [from, to] : {std::pair{0, 5}, {5, 64}, {64, 81}, {255, 258}, {299, 300}}) {
    for (const bool spread : {false, true}) {
      const std::vector<uint16_t> part = this->run(prompts.batch({{0, from, to}}), spread);
      ASSERT_TRUE(std::equal(part.begin(), part.end(), at_once.begin() + from * width)) << from << ", " << spread;
    }
  }
}

TYPED_TEST_P(AttentionChecks, ARowIsTheSameInEveryBatch) {
  for (const cpu::QkvShape& shape : {cpu::QkvShape{4, 1, 64}, cpu::QkvShape{3, 1, 16}, cpu::QkvShape{2, 2, 40}}) {
    const AttentionPrompts prompts(shape, {17, 1, 40, 90, 16, 3});
    const AttentionBatch together = prompts.batch(prompts.whole());
    const std::vector<uint16_t> out = this->run(together, false);
    for (size_t row = 0; row < prompts.whole().size(); ++row) {
      ASSERT_EQ(this->run(prompts.batch({prompts.whole()[row]}), false), this->row_of(out, together, row)) << row;
    }
  }
}

// More rows than a block has threads, so that it looks for its own in several steps.
TYPED_TEST_P(AttentionChecks, ManyRows) {
  std::vector<int32_t> lengths;
  for (int32_t row = 0; row < 270; ++row) lengths.push_back(1 + row * 7 % 20);
  const AttentionPrompts prompts({6, 1, 8}, lengths);
  this->expect_cpu(prompts, prompts.batch(prompts.whole()), prompts.whole(), true);
  this->expect_cpu(prompts, prompts.batch(prompts.whole(), AttentionQueries::kLastOfRow), prompts.whole(), false);
}

TYPED_TEST_P(AttentionChecks, RowsMayShareTheirFirstPages) {
  const AttentionPrompts prompts({4, 2, 64}, {70, 49, 64}, 3);
  const std::vector<Stretch> rows = {{0, 48, 70}, {1, 48, 49}, {2, 60, 64}};
  this->expect_cpu(prompts, prompts.batch(rows), rows, false);
  this->expect_cpu(prompts, prompts.batch(rows), rows, true);
}

TYPED_TEST_P(AttentionChecks, TheLastTokenAlone) {
  for (const cpu::QkvShape& shape : {cpu::QkvShape{8, 2, 64}, cpu::QkvShape{3, 3, 128}}) {
    const AttentionPrompts prompts(shape, {300, 1, 64, 17});
    const std::vector<Stretch> rows = {{0, 200, 300}, {1, 0, 1}, {2, 63, 64}, {3, 0, 17}};
    const AttentionBatch last = prompts.batch(rows, AttentionQueries::kLastOfRow), all = prompts.batch(rows);
    this->expect_cpu(prompts, last, rows, false);
    if (this->HasFatalFailure()) return;
    const std::vector<uint16_t> out = this->run(last, false), of_all = this->run(all, false);
    EXPECT_EQ(this->run(last, true), out);
    const auto width = static_cast<int64_t>(this->out_width(shape));
    for (int64_t row = 0; row < last.rows(); ++row) {
      EXPECT_TRUE(std::equal(out.begin() + row * width, out.begin() + (row + 1) * width,
                             of_all.begin() + (all.row_offsets[row + 1] - 1) * width));
    }
  }
}

TYPED_TEST_P(AttentionChecks, PaddingIsNeitherReadNorWritten) {
  const AttentionPrompts prompts({4, 1, 64}, {20, 33});
  for (const AttentionQueries which : {AttentionQueries::kAll, AttentionQueries::kLastOfRow}) {
    AttentionBatch batch = prompts.batch(prompts.whole(), which);
    const std::vector<uint16_t> plain = this->run(batch, false);
    batch.pad(75, 3);
    for (const bool spread : {false, true}) {
      const std::vector<uint16_t> padded = this->run(batch, spread);
      ASSERT_EQ(padded.size(), batch.out_size());
      EXPECT_TRUE(std::equal(plain.begin(), plain.end(), padded.begin()));
      EXPECT_TRUE(std::all_of(padded.begin() + static_cast<int64_t>(plain.size()), padded.end(),
                              [](uint16_t value) { return value == kUnwritten; }));
    }
  }
}

// A prompt that holds one must not come out finite at its end, and its neighbours must not notice.
TYPED_TEST_P(AttentionChecks, NaNAndInfinityReachTheLastTokenOfTheirPromptAlone) {
  constexpr cpu::QkvShape kShape = {2, 1, 8};
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    for (const size_t column : {size_t{0}, size_t{16}, size_t{24}}) {  // query, key, value
      AttentionPrompts prompts(kShape, {20, 20, 20});
      prompts.projections[1][(column == 0 ? 19 : 5) * 32 + column] = bf16_of(bad);
      const AttentionBatch batch = prompts.batch(prompts.whole());
      for (const bool spread : {false, true}) {
        const std::vector<uint16_t> out = this->run(batch, spread);
        EXPECT_FALSE(std::isfinite(float_of(this->row_of(out, batch, 1)[19 * 16]))) << bad << " in column " << column;
        for (const size_t other : {0, 2}) {
          for (const uint16_t value : this->row_of(out, batch, other)) ASSERT_TRUE(std::isfinite(float_of(value)));
        }
      }
    }
  }
}

// Finite numbers whose product is beyond f32 either way: not a key that is merely ignored.
TYPED_TEST_P(AttentionChecks, AnOverflowIsNoVerdict) {
  for (const float sign : {1.0f, -1.0f}) {
    AttentionPrompts prompts({1, 1, 8}, {20});
    for (size_t t = 0; t < 20; ++t) prompts.projections[0][t * 24] = prompts.projections[0][t * 24 + 8] = 0;
    prompts.projections[0][19 * 24] = bf16_of(1e30f);
    prompts.projections[0][3 * 24 + 8] = bf16_of(sign * 1e30f);
    const std::vector<uint16_t> out = this->run(prompts.batch(prompts.whole()), false);
    EXPECT_TRUE(std::isnan(float_of(out[19 * 8]))) << sign;
    EXPECT_TRUE(std::isfinite(float_of(out[18 * 8]))) << sign;
  }
}

TYPED_TEST_P(AttentionChecks, ARowLongerThanPromisedIsNoVerdict) {
  const AttentionPrompts prompts({1, 1, 64}, {600});
  AttentionBatch batch = prompts.batch({{0, 511, 513}});
  batch.max_keys = 512;
  const std::vector<uint16_t> out = this->run(batch, true);
  EXPECT_TRUE(std::isfinite(float_of(out[0])));
  EXPECT_TRUE(std::isnan(float_of(out[64])));
}

// Scores that grow from block to block replace the largest each time; those that fall vanish against it.
TYPED_TEST_P(AttentionChecks, LargeScoresNeitherOverflowNorLoseTheLargest) {
  for (const float slope : {32.0f, -32.0f}) {
    AttentionPrompts prompts({1, 1, 8}, {300});
    for (size_t t = 0; t < 300; ++t) {
      uint16_t* const token = &prompts.projections[0][t * 24];
      std::fill(token, token + 16, uint16_t{0});
      token[3] = bf16_of(8.0f);
      token[8 + 3] = bf16_of(slope * static_cast<float>(t));
    }
    const std::vector<uint16_t> out = this->run(prompts.batch(prompts.whole()), false);
    for (size_t t = 1; t < 300; ++t) {
      // bf16 keeps 8 bits of t: of the largest keys' equals the first to come has the same weight.
      if (slope > 0 && t > 255) break;
      const uint16_t* const value = &prompts.projections[0][(slope > 0 ? t : 0) * 24 + 16];
      for (size_t d = 0; d < 8; ++d) ASSERT_EQ(out[t * 8 + d], value[d]) << "token " << t;
    }
  }
}

REGISTER_TYPED_TEST_SUITE_P(AttentionChecks, MatchesTheCpu, WalksAndSpreadsManyChunks,
                            WhatWasComputedBeforeDoesNotChangeAToken, ARowIsTheSameInEveryBatch, ManyRows,
                            RowsMayShareTheirFirstPages, TheLastTokenAlone, PaddingIsNeitherReadNorWritten,
                            NaNAndInfinityReachTheLastTokenOfTheirPromptAlone, AnOverflowIsNoVerdict,
                            ARowLongerThanPromisedIsNoVerdict, LargeScoresNeitherOverflowNorLoseTheLargest);

}  // namespace saferoute::cuda
