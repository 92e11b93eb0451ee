// The budget picks its share: of any traffic that stays alike from the first row on, and of no traffic much more.
#include "engine/escalation_budget.h"

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace saferoute::engine {
namespace {

class EscalationBudgetTest : public testing::Test {
 protected:
  using Scores = std::function<double(int row)>;

  double coin() { return std::uniform_real_distribution<double>()(random_); }

  std::vector<bool> pick(EscalationBudget& budget, int rows, const Scores& scores) {
    std::vector<bool> picked;
    for (int row = 0; row < rows; ++row) picked.push_back(budget.picks(scores(row), coin()));
    return picked;
  }

  static double share_of(const std::vector<bool>& picked, size_t from = 0) {
    return static_cast<double>(std::count(picked.begin() + static_cast<ptrdiff_t>(from), picked.end(), true)) /
           static_cast<double>(picked.size() - from);
  }

  // The most picks among `window` rows in a row.
  static int most(const std::vector<bool>& picked, size_t window) {
    int inside = 0, most = 0;
    for (size_t row = 0; row < picked.size(); ++row) {
      inside += picked[row] ? 1 : 0;
      if (row >= window) inside -= picked[row - window] ? 1 : 0;
      most = std::max(most, inside);
    }
    return most;
  }

  std::mt19937_64 random_{7};
};

// Twenty thousand rows: four standard deviations are 0.0113.
TEST_F(EscalationBudgetTest, PicksItsShareWhateverTheScoresLookLike) {
  const std::vector<Scores> traffics = {
      [&](int) { return coin(); },                       // no two alike
      [&](int) { return coin() * coin() * 1e-9; },       // all near 0
      [&](int) { return coin() < 0.9 ? 0.0 : coin(); },  // most alike
      [](int) { return 0.5; },                           // all alike
      [](int row) { return row % 3; },
  };
  for (size_t traffic = 0; traffic < traffics.size(); ++traffic) {
    EscalationBudget budget(0.2, 1000);
    EXPECT_NEAR(share_of(pick(budget, 20000, traffics[traffic])), 0.2, 0.0113) << "traffic " << traffic;
  }
}

TEST_F(EscalationBudgetTest, PicksTheHardest) {
  EscalationBudget budget(0.25, 1000);
  std::vector<double> scores;
  const std::vector<bool> picked = pick(budget, 20000, [&](int) { return scores.emplace_back(coin()); });
  int wrong = 0;
  for (size_t row = 1000; row < picked.size(); ++row) wrong += picked[row] != (scores[row] > 0.75) ? 1 : 0;
  EXPECT_LT(wrong, 19000 * 0.03);  // the quantile of a thousand rows is known to 0.014
}

// Twenty thousand first, second and fifth rows each: four standard deviations are 0.0113.
TEST_F(EscalationBudgetTest, GivesEveryRowItsChanceFromTheFirstOn) {
  constexpr int kRows = 5, kBudgets = 20000;
  std::vector<int> picked(kRows);
  for (int budgets = 0; budgets < kBudgets; ++budgets) {
    EscalationBudget budget(0.2, 100);
    const std::vector<bool> now = pick(budget, kRows, [&](int) { return coin(); });
    for (int row = 0; row < kRows; ++row) picked[row] += now[row] ? 1 : 0;
  }
  for (int row = 0; row < kRows; ++row) EXPECT_NEAR(picked[row] / double(kBudgets), 0.2, 0.0113) << "row " << row;
}

TEST_F(EscalationBudgetTest, NeverPicksMoreThanItsLimitInAnyWindow) {
  EscalationBudget budget(0.2, 500);
  EXPECT_EQ(budget.limit(), 127);  // 100 and three times the root of 80
  const std::vector<bool> climbing = pick(budget, 5000, [](int row) { return row; });
  EXPECT_EQ(most(climbing, 500), 127);
  EscalationBudget other(0.2, 500);
  const std::vector<bool> leaping = pick(other, 5000, [&](int row) { return row / 700 + coin(); });
  EXPECT_LE(most(leaping, 500), 127);
}

TEST_F(EscalationBudgetTest, ComesBackToItsShareOnceAWindowHasPassed) {
  EscalationBudget budget(0.2, 500);
  pick(budget, 5000, [&](int) { return coin(); });
  const std::vector<bool> harder = pick(budget, 20000, [&](int) { return 2 + coin(); });
  EXPECT_NEAR(share_of(harder, 1000), 0.2, 0.0113);
}

TEST_F(EscalationBudgetTest, KnowsTheEnds) {
  EscalationBudget none(0, 10), all(1, 10);
  EXPECT_EQ(pick(none, 100, [&](int) { return coin(); }), std::vector<bool>(100, false));
  EXPECT_EQ(pick(all, 100, [&](int) { return coin(); }), std::vector<bool>(100, true));
}

// Among a hundred rows a tenth is ten: nine above are few enough for any coin, ten for a lucky one, eleven too many.
TEST_F(EscalationBudgetTest, SaysAboveWhichScoreItPicks) {
  const auto picks = [](double score, double coin) {
    EscalationBudget budget(0.1, 100);
    for (int row = 99; row >= 0; --row) budget.picks(row, 0.999);
    EXPECT_EQ(budget.threshold(), 90);
    return budget.picks(score, coin);
  };
  EXPECT_TRUE(picks(90.5, 0.999));
  EXPECT_TRUE(picks(89.5, 0.05));
  EXPECT_FALSE(picks(89.5, 0.15));
  EXPECT_FALSE(picks(88.5, 0));
  EXPECT_FALSE(EscalationBudget(0.1, 100).threshold());
}

}  // namespace
}  // namespace saferoute::engine
