// The time of passes, and the token budget that follows from it.
#include "engine/pass_pace.h"

#include <gtest/gtest.h>

namespace saferoute::engine {
namespace {

TEST(PassPace, IsCautiousUntilAPassWasMeasured) {
  const PassPace pace(250);
  EXPECT_EQ(pace.budget_tokens(2048), 256);
  EXPECT_EQ(pace.budget_tokens(100), 100);
  EXPECT_EQ(pace.predicted_ms(1), 250);
}

TEST(PassPace, CutsPassesToTheTimeTheyMayTake) {
  PassPace pace(250);
  pace.record(100, 50);
  EXPECT_DOUBLE_EQ(pace.predicted_ms(30), 15);
  EXPECT_EQ(pace.budget_tokens(2048), 500);
  EXPECT_EQ(pace.budget_tokens(400), 400);
}

TEST(PassPace, FollowsAGuardThatSlowsDown) {
  PassPace pace(250);
  pace.record(100, 50);
  pace.record(100, 100);
  EXPECT_DOUBLE_EQ(pace.predicted_ms(8), 5);
  for (int pass = 0; pass < 100; ++pass) pace.record(100, 100);
  EXPECT_NEAR(pace.predicted_ms(100), 100, 1e-6);
}

TEST(PassPace, LearnsNothingFromPassesOfAFewTokens) {
  PassPace pace(250);
  pace.record(15, 1000);
  EXPECT_EQ(pace.budget_tokens(2048), 256);
  pace.record(16, 16);
  EXPECT_EQ(pace.budget_tokens(2048), 250);
}

TEST(PassPace, NeverCutsSoSmallThatNothingGoesForward) {
  PassPace pace(250);
  pace.record(16, 1e9);
  EXPECT_EQ(pace.budget_tokens(2048), 128);
  EXPECT_EQ(pace.budget_tokens(8), 8);
}

TEST(PassPace, TakesAGuardThatTakesNoTime) {
  PassPace pace(250);
  pace.record(16, 0);
  EXPECT_EQ(pace.budget_tokens(2048), 2048);
  EXPECT_EQ(pace.predicted_ms(2048), 0);
}

TEST(LargeShare, GoesByTokensAndWeights) {
  EXPECT_DOUBLE_EQ(large_share({.tokens = 80, .weight_bytes = 1}, {.tokens = 10, .weight_bytes = 8}), 0.5);
  EXPECT_DOUBLE_EQ(large_share({.tokens = 30, .weight_bytes = 2}, {.tokens = 20, .weight_bytes = 9}), 0.75);
}

TEST(LargeShare, IsNothingWhereTheLargeGuardComputedNothing) {
  EXPECT_EQ(large_share({.tokens = 80, .weight_bytes = 1}, {.tokens = 0, .weight_bytes = 8}), 0);
}

TEST(LargeShare, GoesByTokensWhereNothingIsKnownOfTheWeights) {
  EXPECT_DOUBLE_EQ(large_share({.tokens = 30, .weight_bytes = 0}, {.tokens = 10, .weight_bytes = 0}), 0.25);
}

}  // namespace
}  // namespace saferoute::engine
