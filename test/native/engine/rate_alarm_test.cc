// The alarm rings for what chance does not explain, rarely for what it does, and does not stutter in between.
#include "engine/rate_alarm.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace saferoute::engine {
namespace {

const Clock::time_point kStart = Clock::time_point() + std::chrono::hours(1);

struct Heard {
  int began = 0;
  int ended = 0;
};

// Takes in `rows` rows that are picked with probability `rate`.
Heard hear(RateAlarm& alarm, double rate, int rows, std::mt19937_64& random) {
  std::bernoulli_distribution picked(rate);
  Heard heard;
  for (int row = 0; row < rows; ++row) {
    if (!alarm.record(picked(random), kStart)) continue;
    (alarm.state(kStart).ringing ? heard.began : heard.ended) += 1;
  }
  return heard;
}

// The least count whose tail (scipy.stats.binom.sf) is small enough.
TEST(BinomialLimit, IsThatOfScipy) {
  EXPECT_EQ(binomial_limit(1000, 0.2, 5e-7), 264);
  EXPECT_EQ(binomial_limit(1000, 0.05, 5e-7), 87);
  EXPECT_EQ(binomial_limit(1000, 0.001, 5e-7), 9);
  EXPECT_EQ(binomial_limit(100000, 0.3, 5e-7), 30710);
  EXPECT_EQ(binomial_limit(200, 0.2, 1e-3), 58);
  EXPECT_EQ(binomial_limit(50, 0.5, 0.01), 33);
  EXPECT_EQ(binomial_limit(10, 0.1, 1e-3), 5);
}

TEST(BinomialLimit, KnowsTheEnds) {
  EXPECT_EQ(binomial_limit(10, 0, 1e-6), 0);
  EXPECT_EQ(binomial_limit(10, 1, 1e-6), 10);
  EXPECT_EQ(binomial_limit(10, 0.9, 1e-6), 10);  // ten of ten are no wonder
}

TEST(RateAlarm, RingsBeyondItsLimitsAndEndsWithinItsBand) {
  RateAlarm alarm({.low = 0.3, .high = 0.5, .window = 50}, 0.01);  // rings above 33 of 50, and below 8
  const auto push = [&](bool picked, int rows) {
    int changes = 0;
    for (int row = 0; row < rows; ++row) changes += alarm.record(picked, kStart) ? 1 : 0;
    return changes;
  };
  EXPECT_EQ(push(false, 30) + push(true, 19), 0);  // not full yet
  EXPECT_FALSE(alarm.state(kStart).rate);
  EXPECT_EQ(push(true, 14), 0);
  EXPECT_EQ(alarm.state(kStart).rate, 33 / 50.0);
  EXPECT_EQ(push(true, 1), 1);
  EXPECT_TRUE(alarm.state(kStart).ringing);
  EXPECT_EQ(push(true, 16) + push(false, 24), 0);  // all picked, and then down to 26 of 50
  EXPECT_EQ(push(false, 1), 1);
  EXPECT_FALSE(alarm.state(kStart).ringing);
  EXPECT_EQ(push(false, 25), 1);  // none are too few
  EXPECT_EQ(alarm.state(kStart).rung, 2u);
  EXPECT_DOUBLE_EQ(alarm.state(kStart).rings_above, 33 / 50.0);
}

TEST(RateAlarm, SaysHowLongItRang) {
  RateAlarm alarm({.low = 0, .high = 0.01, .window = 10}, 1e-6);
  for (int row = 0; row < 10; ++row) alarm.record(true, later(kStart, row));
  EXPECT_TRUE(alarm.state(later(kStart, 9)).ringing);
  EXPECT_DOUBLE_EQ(alarm.state(later(kStart, 29)).ringing_ms, 20);
  for (int row = 0; row < 10; ++row) alarm.record(false, later(kStart, 40 + row));
  EXPECT_FALSE(alarm.state(kStart).ringing);
  EXPECT_DOUBLE_EQ(alarm.state(later(kStart, 99)).ringing_ms, 39);  // one pick of ten is the band's end, rounded up
}

// The union bound: of four million rows at the very end of the band, at most 400 begin an excursion in the mean.
TEST(RateAlarm, RingsByChanceNoMoreOftenThanStated) {
  constexpr double kChance = 1e-4;
  int began = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    std::mt19937_64 random(seed);
    RateAlarm alarm({.low = 0.1, .high = 0.2, .window = 200}, kChance);
    began += hear(alarm, 0.2, 200'000, random).began;
  }
  EXPECT_GT(began, 0);  // and not because it never rings
  EXPECT_LE(began, 20 * 200'000 * kChance);
}

TEST(RateAlarm, StaysQuietWithinItsBandByDefault) {
  for (const double rate : {0.05, 0.12, 0.2}) {
    std::mt19937_64 random(11);
    RateAlarm alarm({.low = 0.05, .high = 0.2, .window = 1000});
    EXPECT_EQ(hear(alarm, rate, 500'000, random).began, 0) << rate;
  }
}

TEST(RateAlarm, HearsAnAttackAndALullWithinAWindow) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    RateAlarm alarm({.low = 0.05, .high = 0.2, .window = 1000});
    hear(alarm, 0.12, 5000, random);
    EXPECT_EQ(hear(alarm, 0.4, 1000, random).began, 1) << seed;
    EXPECT_EQ(hear(alarm, 0.12, 1500, random).ended, 1) << seed;
    EXPECT_EQ(hear(alarm, 0.0, 1000, random).began, 1) << seed;
  }
}

// Where the rate itself lies between the band and the limit, and noise crosses both most easily.
TEST(RateAlarm, DoesNotStutterAtTheEdge) {
  constexpr int kRows = 1'000'000, kWindow = 500;
  for (const double rate : {0.21, 0.22, 0.23, 0.24, 0.25, 0.26, 0.27, 0.28}) {
    std::mt19937_64 random(3);
    RateAlarm alarm({.low = 0, .high = 0.2, .window = kWindow});
    const Heard heard = hear(alarm, rate, kRows, random);
    EXPECT_LE(heard.began + heard.ended, kRows / kWindow / 4) << rate;
  }
}

TEST(RateAlarm, KnowsWhetherItCanRing) {
  EXPECT_TRUE(RateAlarm({.low = 0, .high = 0.2, .window = 10}).can_ring());
  EXPECT_FALSE(RateAlarm({.low = 0, .high = 0.3, .window = 10}).can_ring());
  EXPECT_TRUE(RateAlarm({.low = 0.8, .high = 1, .window = 10}).can_ring());
  EXPECT_FALSE(RateAlarm({.low = 0, .high = 1, .window = 100000}).can_ring());
}

}  // namespace
}  // namespace saferoute::engine
