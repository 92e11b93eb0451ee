// The escalation rules one by one.
#include "engine/escalation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace saferoute::engine {
namespace {

using Kind = EscalationRule::Kind;

bool picks(const EscalationRule& rule, const RuleInput& row) { return Escalator(rule).picks(row); }

bool picks(Kind kind, double threshold, double score, double hardness) {
  return picks({.kind = kind, .threshold = threshold},
               {.logit = std::log(score) - std::log1p(-score), .hardness = hardness});
}

TEST(Entropy, IsInBits) {
  EXPECT_EQ(entropy_bits(0.0), 0.0);
  EXPECT_EQ(entropy_bits(1.0), 0.0);
  EXPECT_DOUBLE_EQ(entropy_bits(0.5), 1.0);
  EXPECT_NEAR(entropy_bits(0.25), 2.0 - 0.75 * std::log2(3.0), 1e-15);
  EXPECT_DOUBLE_EQ(entropy_bits(0.2), entropy_bits(0.8));
}

TEST(Entropy, IsFiniteForTheLeastScore) {
  const double p = std::numeric_limits<double>::denorm_min();
  EXPECT_GE(entropy_bits(p), 0.0);
  EXPECT_LT(entropy_bits(p), 1e-300);
}

// Half a bit lies at p = 0.1100279 and its mirror image.
TEST(Escalation, ByEntropyCutsAtHalfABit) {
  EXPECT_TRUE(picks(Kind::kEntropy, 0.5, 0.5, 0));
  EXPECT_FALSE(picks(Kind::kEntropy, 0.5, 0.0, 0));
  EXPECT_FALSE(picks(Kind::kEntropy, 0.5, 1.0, 0));
  EXPECT_FALSE(picks(Kind::kEntropy, 0.5, 0.11, 0));
  EXPECT_TRUE(picks(Kind::kEntropy, 0.5, 0.1101, 0));
  EXPECT_FALSE(picks(Kind::kEntropy, 0.5, 0.89, 0));
  EXPECT_TRUE(picks(Kind::kEntropy, 0.5, 0.8899, 0));
}

TEST(Escalation, ByRouterIsStrict) {
  EXPECT_FALSE(picks(Kind::kRouter, 0.5, 0.9, 0.5));
  EXPECT_TRUE(picks(Kind::kRouter, 0.5, 0.9, std::nextafter(0.5, 1.0)));
}

TEST(Escalation, AlwaysAndNeverAskNothing) {
  EXPECT_TRUE(picks(Kind::kAlways, 1.0, 0.0, 0.0));
  EXPECT_FALSE(picks(Kind::kNever, 0.0, 0.5, 1.0));
}

// Every request by an engine of its own: a coin does not hang on those before it.
std::vector<bool> coins(double share, uint64_t seed, size_t count) {
  std::vector<bool> coins(count);
  for (size_t sequence = 0; sequence < count; ++sequence) {
    coins[sequence] = picks({.kind = Kind::kRandom, .threshold = share, .seed = seed}, {.sequence = sequence});
  }
  return coins;
}

TEST(Escalation, ByChanceRepeatsForASeed) {
  EXPECT_EQ(coins(0.5, 7, 1000), coins(0.5, 7, 1000));
  EXPECT_NE(coins(0.5, 7, 1000), coins(0.5, 8, 1000));
}

// Ten thousand coins: four standard deviations are at most 0.02.
TEST(Escalation, ByChanceHasItsShare) {
  for (const double share : {0.05, 0.2, 0.5, 0.9}) {
    const std::vector<bool> tossed = coins(share, 42, 10000);
    const auto heads = std::count(tossed.begin(), tossed.end(), true);
    EXPECT_NEAR(static_cast<double>(heads) / 10000, share, 0.02) << share;
  }
}

TEST(Escalation, ByChanceKnowsTheEnds) {
  EXPECT_EQ(coins(0.0, 1, 1000), std::vector<bool>(1000, false));
  EXPECT_EQ(coins(1.0, 1, 1000), std::vector<bool>(1000, true));
}

// Temperature 2 at a logit of 4 is the entropy of a logit of 2; a prior moves the cut to where it lies.
TEST(Escalation, ByEntropyTakesTheCalibratedScore) {
  const auto entropy_at = [](double logit) { return entropy_bits(1 / (1 + std::exp(-logit))); };
  EscalationRule rule{.kind = Kind::kEntropy, .threshold = entropy_at(2)};
  EXPECT_FALSE(picks(rule, {.logit = 4}));
  rule.logit_scale = 0.5;
  EXPECT_FALSE(picks(rule, {.logit = 4.001}));
  EXPECT_TRUE(picks(rule, {.logit = 3.999}));
  rule.logit_scale = 1;
  rule.logit_shift = -3;
  EXPECT_TRUE(picks(rule, {.logit = 4.999}));
  EXPECT_FALSE(picks(rule, {.logit = 5.001}));
  EXPECT_FALSE(picks(rule, {.logit = 0.999}));
  EXPECT_TRUE(picks(rule, {.logit = 1.001}));
}

TEST(Escalation, ByEntropyTakesAnyFiniteLogit) {
  for (const double logit : {-1e308, -800.0, 800.0, 1e308}) {
    EXPECT_FALSE(picks({.kind = Kind::kEntropy, .threshold = 0}, {.logit = logit})) << logit;
  }
}

// The third output of splitmix64 for seed 1234567 as its authors' program prints it.
TEST(Escalation, ByChanceIsSplitmix64) {
  const double third = static_cast<double>(9817491932198370423u >> 11) * 0x1p-53;
  const EscalationRule at{.kind = Kind::kRandom, .threshold = third, .seed = 1234567};
  const EscalationRule above{.kind = Kind::kRandom, .threshold = std::nextafter(third, 1.0), .seed = 1234567};
  EXPECT_FALSE(picks(at, {.sequence = 2}));
  EXPECT_TRUE(picks(above, {.sequence = 2}));
}

TEST(Escalation, SaysBeforehandWhatNoReadingChanges) {
  const auto beforehand = [](Kind kind) { return Escalator({.kind = kind, .threshold = 0.5}).beforehand(0); };
  EXPECT_EQ(beforehand(Kind::kRouter), RowRule::kByHardness);
  EXPECT_EQ(beforehand(Kind::kAlways), RowRule::kForced);
  EXPECT_EQ(beforehand(Kind::kNever), RowRule::kForbidden);
  EXPECT_EQ(beforehand(Kind::kEntropy), std::nullopt);
  EXPECT_EQ(beforehand(Kind::kBudget), std::nullopt);
}

TEST(Escalation, ThrowsTheSameCoinsBeforehand) {
  const EscalationRule rule{.kind = Kind::kRandom, .threshold = 0.5, .seed = 9};
  int picked = 0;
  for (uint64_t sequence = 0; sequence < 64; ++sequence) {
    const bool picks_row = picks(rule, {.logit = 0, .hardness = 0.9, .sequence = sequence});
    EXPECT_EQ(Escalator(rule).beforehand(sequence), picks_row ? RowRule::kForced : RowRule::kForbidden);
    picked += picks_row;
  }
  EXPECT_GT(picked, 0);
  EXPECT_LT(picked, 64);
}

}  // namespace
}  // namespace saferoute::engine
