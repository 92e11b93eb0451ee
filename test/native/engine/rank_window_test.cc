// Ranks among the last so many numbers, held against counting them.
#include "engine/rank_window.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace saferoute::engine {
namespace {

void expect_alike(const RankWindow& window, const std::deque<double>& last, double value) {
  EXPECT_EQ(window.above(value), std::count_if(last.begin(), last.end(), [&](double other) { return other > value; }));
  EXPECT_EQ(window.equal(value), std::count(last.begin(), last.end(), value));
}

class RankWindowTest : public testing::TestWithParam<uint32_t> {};

// Many values are drawn twice, so that ties are as common as not.
TEST_P(RankWindowTest, CountsWhatIsInIt) {
  std::mt19937 random(GetParam());
  const auto size = static_cast<int32_t>(1 + random() % 40);
  const uint32_t values = 1 + random() % 60;
  RankWindow window(size);
  std::deque<double> last;
  for (int step = 0; step < 400; ++step) {
    const double value = static_cast<double>(random() % values) / values;
    expect_alike(window, last, value);
    window.push(value);
    last.push_back(value);
    if (last.size() > static_cast<size_t>(size)) last.pop_front();
    EXPECT_EQ(window.count(), static_cast<int32_t>(last.size()));
    expect_alike(window, last, value);
    std::vector<double> sorted(last.begin(), last.end());
    std::sort(sorted.begin(), sorted.end(), std::greater());
    const auto rank = static_cast<int32_t>(random() % sorted.size());
    EXPECT_EQ(window.largest(rank), sorted[static_cast<size_t>(rank)]);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RankWindowTest, testing::Range(0u, 40u));

TEST(RankWindow, IsEmptyAtFirst) {
  const RankWindow window(3);
  EXPECT_EQ(window.count(), 0);
  EXPECT_EQ(window.above(0), 0);
  EXPECT_EQ(window.equal(0), 0);
}

// A tree that grew as deep as it has nodes would overflow the stack here.
TEST(RankWindow, TakesNumbersInOrderAsWellAsAnyOther) {
  constexpr int32_t kSize = 100000;
  RankWindow window(kSize);
  for (int32_t value = 0; value < 3 * kSize; ++value) window.push(value);
  EXPECT_EQ(window.above(2.5 * kSize), kSize / 2 - 1);
  EXPECT_EQ(window.largest(kSize - 1), 2 * kSize);
}

}  // namespace
}  // namespace saferoute::engine
