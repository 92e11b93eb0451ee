// The shapes that passes are raised to: large enough, few, and within what a guard was loaded for.
#include "cuda/pass_shape.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace saferoute::cuda {
namespace {

constexpr PassLimits kLimits{.tokens = 1024, .rows = 256, .keys = 8192};

TEST(PassShape, HoldsTheBatchAndStaysWithinTheLimits) {
  for (int32_t tokens = 1; tokens <= kLimits.tokens; ++tokens) {
    const PassShape pass{.tokens = tokens, .rows = std::min(tokens, kLimits.rows), .keys = 8 * tokens};
    const PassShape shape = raised(pass, kLimits);
    EXPECT_GE(shape.tokens, pass.tokens);
    EXPECT_GE(shape.rows, pass.rows);
    EXPECT_GE(shape.keys, pass.keys);
    EXPECT_LE(shape.tokens, kLimits.tokens);
    EXPECT_LE(shape.rows, kLimits.rows);
    EXPECT_LE(shape.keys, kLimits.keys);
  }
}

TEST(PassShape, PadsTokensByAQuarterAtMost) {
  for (int32_t tokens = 64; tokens <= kLimits.tokens; ++tokens) {
    const PassShape shape = raised({.tokens = tokens, .rows = 1, .keys = tokens}, kLimits);
    EXPECT_LT(4 * (shape.tokens - tokens), tokens) << tokens;
  }
}

TEST(PassShape, IsItsOwnRaisedShape) {
  for (int32_t tokens = 1; tokens <= kLimits.tokens; ++tokens) {
    const PassShape once = raised({.tokens = tokens, .rows = 1 + tokens % 256, .keys = 5 * tokens}, kLimits);
    EXPECT_EQ(raised(once, kLimits), once) << tokens;
  }
}

TEST(PassShape, LimitsThatAreNoStepAreShapesThemselves) {
  constexpr PassLimits kOdd{.tokens = 1000, .rows = 100, .keys = 3000};
  const PassShape expected{.tokens = 1000, .rows = 100, .keys = 3000};
  EXPECT_EQ(raised({.tokens = 999, .rows = 65, .keys = 2049}, kOdd), expected);
}

TEST(PassShape, ReadsABatch) {
  engine::Batch batch;
  batch.tokens = {1, 2, 3, 4, 5};
  batch.row_offsets = {0, 2, 5};
  batch.row_starts = {30, 0};
  const PassShape expected{.tokens = 5, .rows = 2, .keys = 32};
  EXPECT_EQ(shape_of(batch), expected);
}

TEST(PassShape, WarmUpHasEveryShortPassOfARowWithAShortPrefix) {
  const std::vector<PassShape> shapes = warm_up_shapes(kLimits);
  const std::set<PassShape> distinct(shapes.begin(), shapes.end());
  EXPECT_EQ(distinct.size(), shapes.size());
  for (int32_t tokens = 1; tokens <= kMostGraphTokens; ++tokens) {
    EXPECT_TRUE(distinct.contains(raised({.tokens = tokens, .rows = 1, .keys = 512}, kLimits))) << tokens;
  }
}

TEST(CascadeBranches, RiseToOneThatHoldsEveryRow) {
  for (int32_t tokens = 1; tokens <= kLimits.tokens; tokens += 7) {
    const PassShape all = raised({.tokens = tokens, .rows = std::min(tokens, 200), .keys = tokens}, kLimits);
    const std::vector<PassShape> branches = cascade_branches(all, kLimits);
    ASSERT_FALSE(branches.empty());
    ASSERT_LE(branches.size(), 4u);
    EXPECT_EQ(branches.back().tokens, all.tokens);
    EXPECT_GE(branches.back().keys, all.keys);
    EXPECT_EQ(branches.back().rows, std::min(all.rows, all.tokens));
    for (size_t i = 1; i < branches.size(); ++i) EXPECT_LT(branches[i - 1].tokens, branches[i].tokens);
  }
}

}  // namespace
}  // namespace saferoute::cuda
