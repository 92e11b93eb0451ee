#include "train/row_sampler.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

namespace saferoute::train {
namespace {

class RowSampling : public testing::Test {
 protected:
  // 1 row in 20 is hard; only even rows are trained on.
  RowSampling() {
    for (int32_t row = 0; row < 4000; ++row) {
      targets_.push_back(row % 40 == 0 ? 1.0f : row % 40 == 2 ? 0.5f : 0.0f);
      if (row % 2 == 0) rows_.push_back(row);
    }
    data_.targets = targets_;
    data_.train_rows = rows_;
  }

  std::vector<int32_t> draw(bool balanced, int32_t epoch, uint64_t seed = 3) {
    RowSampler sampler(data_, {.balanced = balanced, .seed = seed});
    const auto drawn = sampler.draw(epoch);
    return {drawn.begin(), drawn.end()};
  }

  std::vector<float> targets_;
  std::vector<int32_t> rows_;
  TrainingData data_;
};

TEST_F(RowSampling, BalancedDrawsEachClassHalfOfTheTimeAndItsRowsAlike) {
  std::map<int32_t, int> times;
  int hard = 0;
  int drawn = 0;
  for (int32_t epoch = 0; epoch < 100; ++epoch) {
    for (const int32_t row : draw(true, epoch)) {
      ++times[row];
      ++drawn;
      hard += targets_[static_cast<size_t>(row)] > 0.5f;
    }
  }
  ASSERT_EQ(drawn, 200000);
  EXPECT_NEAR(hard, 100000, 5 * std::sqrt(50000.0));
  EXPECT_EQ(times.size(), rows_.size());
  for (const auto& [row, count] : times) {
    EXPECT_EQ(row % 2, 0);
    const double expected = targets_[static_cast<size_t>(row)] > 0.5f ? 1000 : 100000.0 / 1900;
    EXPECT_NEAR(count, expected, 6 * std::sqrt(expected)) << row;
  }
}

TEST_F(RowSampling, OtherwiseEachRowComesOnceInAnotherOrder) {
  std::vector<int32_t> first = draw(false, 0);
  const std::vector<int32_t> second = draw(false, 1);
  EXPECT_NE(first, rows_);
  EXPECT_NE(first, second);
  std::sort(first.begin(), first.end());
  EXPECT_EQ(first, rows_);
}

TEST_F(RowSampling, AnEpochsRowsDependOnSeedAndEpochAlone) {
  RowSampler sampler(data_, {.seed = 3});
  sampler.draw(0);
  const auto fourth = sampler.draw(4);
  EXPECT_TRUE(std::equal(fourth.begin(), fourth.end(), draw(true, 4).begin()));
  EXPECT_NE(draw(true, 4), draw(true, 4, 4));
}

}  // namespace
}  // namespace saferoute::train
