// From verdict logits to a reading: numerically stable, and never a verdict out of a number that is not finite.
#include "engine/reading.h"

#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace saferoute::engine {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLargest = std::numeric_limits<float>::max();

GuardInfo two_token_guard() {
  GuardInfo info;
  info.hidden_size = 2;
  info.vocab_size = 10;
  info.max_positions = 10;
  info.verdict_unsafe = {0, 1};
  info.has_router = true;
  return info;
}

TEST(ReadVerdict, IsTheSoftmaxOverTwoTokens) {
  const Reading reading = read_verdict(std::vector{1.0f, 3.0f}, std::vector<uint8_t>{0, 1});
  EXPECT_DOUBLE_EQ(reading.safe, 1.0);
  EXPECT_DOUBLE_EQ(reading.unsafe, 3.0);
  EXPECT_NEAR(reading.score, std::exp(3.0) / (std::exp(1.0) + std::exp(3.0)), 1e-15);
}

TEST(ReadVerdict, AddsTheProbabilitiesOfTokensOfAKind) {
  const Reading reading = read_verdict(std::vector{0.5f, 2.0f, -1.0f, 1.5f}, std::vector<uint8_t>{1, 0, 0, 1});
  const double safe = std::exp(2.0) + std::exp(-1.0);
  const double unsafe = std::exp(0.5) + std::exp(1.5);
  EXPECT_NEAR(reading.safe, std::log(safe), 1e-15);
  EXPECT_NEAR(reading.unsafe, std::log(unsafe), 1e-15);
  EXPECT_NEAR(reading.score, unsafe / (safe + unsafe), 1e-15);
}

TEST(ReadVerdict, StaysFiniteAtTheEdgesOfFloat) {
  for (const auto& [safe, unsafe, score] :
       {std::tuple{kLargest, -kLargest, 0.0}, std::tuple{-kLargest, kLargest, 1.0}, std::tuple{kLargest, kLargest, 0.5},
        std::tuple{-kLargest, -kLargest, 0.5}}) {
    const Reading reading = read_verdict(std::vector{safe, unsafe}, std::vector<uint8_t>{0, 1});
    EXPECT_EQ(reading.safe, static_cast<double>(safe));
    EXPECT_EQ(reading.unsafe, static_cast<double>(unsafe));
    EXPECT_EQ(reading.score, score);
  }
}

TEST(ReadRow, TakesItsOwnRowOnly) {
  const BatchReading batch{.logits = {9, 9, 0, 2}, .hardness = {0.9f, 0.25f}, .features = {7, 7, 3, 4}};
  const Outcome outcome = read_row(batch, two_token_guard(), "small guard", 1, true);
  ASSERT_FALSE(outcome.error);
  EXPECT_EQ(outcome.reading.unsafe, 2.0);
  EXPECT_EQ(outcome.hardness, 0.25);
  EXPECT_EQ(outcome.reading.feature, (std::vector<float>{3, 4}));
}

TEST(ReadRow, GivesNoFeatureUnasked) {
  const BatchReading batch{.logits = {0, 2}, .hardness = {0.25f}, .features = {3, 4}};
  EXPECT_TRUE(read_row(batch, two_token_guard(), "small guard", 0, false).reading.feature.empty());
}

TEST(ReadRow, RefusesEveryNumberThatIsNotFinite) {
  const GuardInfo info = two_token_guard();
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    const std::vector<BatchReading> batches = {
        {.logits = {bad, 0}, .hardness = {0.5f}, .features = {0, 0}},
        {.logits = {0, bad}, .hardness = {0.5f}, .features = {0, 0}},
        {.logits = {0, 0}, .hardness = {bad}, .features = {0, 0}},
        {.logits = {0, 0}, .hardness = {0.5f}, .features = {0, bad}},
    };
    for (const BatchReading& batch : batches) {
      const Outcome outcome = read_row(batch, info, "small guard", 0, true);
      ASSERT_TRUE(outcome.error);
      EXPECT_EQ(outcome.error->code(), ErrorCode::kNotFinite);
    }
  }
}

TEST(ReadRow, NamesWhatIsNotFinite) {
  const BatchReading batch{.logits = {0, kNan}, .hardness = {0.5f}, .features = {}};
  const Outcome outcome = read_row(batch, two_token_guard(), "large guard", 0, false);
  ASSERT_TRUE(outcome.error);
  EXPECT_STREQ(outcome.error->what(), "the large guard's logit of verdict token 1 is nan: there is no verdict");
}

TEST(CheckShape, RefusesAnAnswerOfAnotherSize) {
  const GuardInfo info = two_token_guard();
  const BatchReading good{.logits = {0, 0, 0, 0}, .hardness = {0, 0}, .features = {0, 0, 0, 0}};
  EXPECT_NO_THROW(check_shape(good, 2, true, info, "small guard"));
  BatchReading short_logits = good, short_hardness = good, short_features = good;
  short_logits.logits.pop_back();
  short_hardness.hardness.pop_back();
  short_features.features.pop_back();
  for (const BatchReading& bad : {short_logits, short_hardness, short_features}) {
    EXPECT_THROW(check_shape(bad, 2, true, info, "small guard"), Error);
  }
}

}  // namespace
}  // namespace saferoute::engine
