// Which rows of a flight the large guard's lane lends its guard for, and what is left behind when it has it back.
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/lane_queue_fixture.h"

namespace saferoute::engine {
namespace {

class LargeClaimTest : public LaneQueueTest {
 protected:
  // A job of the small guard's flight, whose large prompt is `ids`.
  void add(std::vector<int32_t> ids, RowRule rule = RowRule::kByHardness) {
    Job& job = flight_.emplace_back();
    job.request.small_ids = {1};
    job.request.large_ids = std::move(ids);
    rules_.push_back(rule);
  }

  std::optional<LargeClaim> lend() { return queue_->lend(flight_, {.threshold = 0.5, .rows = rules_}); }

  // The rows in `read` were read, those in `spoilt` too, but not as numbers.
  void take_back(const LargeClaim& claim, const std::vector<size_t>& read, const std::vector<size_t>& spoilt = {}) {
    std::vector<JobOutcome> outcomes(flight_.size());
    const auto give = [&](size_t row) -> LargeOutcome& {
      const PageLease& lease = claim.leases[row].value();
      const auto tokens = static_cast<int32_t>(std::next(flight_.begin(), row)->request.large_ids.size());
      return outcomes[row].large.emplace(LargeOutcome{
          .outcome = {}, .cached_tokens = lease.cached_tokens, .computed_tokens = tokens - lease.cached_tokens});
    };
    for (const size_t row : read) give(row);
    for (const size_t row : spoilt) give(row).outcome.error = Error(ErrorCode::kNotFinite, "nan");
    queue_->take_back(claim, flight_, outcomes, 10);
    flight_.clear();
    rules_.clear();
  }

  JobList flight_;
  std::vector<RowRule> rules_;
};

constexpr RowRule kByHardness = RowRule::kByHardness;
constexpr RowRule kForced = RowRule::kForced;
constexpr RowRule kForbidden = RowRule::kForbidden;

TEST_F(LargeClaimTest, RowsGetTheirPages) {
  open(LaneId::kLarge, {});
  add(lone_prompt(1, 20));
  add(lone_prompt(2, 30), kForbidden);
  add(lone_prompt(3, 40), kForced);
  const LargeClaim claim = lend().value();
  EXPECT_EQ(claim.rows, 2u);
  EXPECT_EQ(claim.plan.threshold, 0.5);
  EXPECT_EQ(claim.plan.rows, (std::vector<RowRule>{kByHardness, kForbidden, kForced}));
  EXPECT_EQ(claim.leases[0].value().pages.size(), 2u);
  EXPECT_FALSE(claim.leases[1]);
  EXPECT_EQ(claim.leases[2].value().pages.size(), 3u);
}

TEST_F(LargeClaimTest, NothingStartsWhileTheGuardIsLent) {
  open(LaneId::kLarge, {});
  add(lone_prompt(1, 20));
  const LargeClaim claim = lend().value();
  push({2});
  EXPECT_EQ(queue_->next_start(false), Clock::time_point::max());
  take_back(claim, {0});
  EXPECT_EQ(queue_->next_start(false), Clock::time_point::min());
}

TEST_F(LargeClaimTest, ALaneThatDoesNotRestLendsNothing) {
  open(LaneId::kLarge, {.kv_pages = 2});
  add({1});
  push(lone_prompt(9, 40));
  EXPECT_FALSE(lend());
  cut();
  EXPECT_FALSE(lend());
  settle();
  // Its pages were beyond the budget: the lane's thread is to give them back first, and gives them back until it asks
  // for something to do again.
  EXPECT_FALSE(lend());
  EXPECT_TRUE(queue_->take_overflow_release());
  EXPECT_FALSE(lend());
  EXPECT_FALSE(queue_->take_overflow_release());
  EXPECT_TRUE(lend());
  EXPECT_FALSE(lend());
}

TEST_F(LargeClaimTest, WhereNoRowIsLeftNothingIsLent) {
  open(LaneId::kLarge, {});
  add({1}, kForbidden);
  EXPECT_FALSE(lend());
  EXPECT_FALSE(queue_->is_lent());
}

TEST_F(LargeClaimTest, TokensAreCountedAsIfAllRowsWereHard) {
  open(LaneId::kLarge, {.batch_tokens = 50});
  add(lone_prompt(1, 30));
  add(lone_prompt(2, 21));
  add(lone_prompt(3, 20));
  add({4});
  EXPECT_EQ(lend().value().plan.rows, (std::vector<RowRule>{kByHardness, kForbidden, kByHardness, kForbidden}));
}

TEST_F(LargeClaimTest, TheyAreNoMoreThanFitIntoThePassesTime) {
  open(LaneId::kLarge, {.batch_ms = 200});
  push(lone_prompt(9, 100));
  cut();
  settle(0, 100);
  add(lone_prompt(1, 120));
  add(lone_prompt(2, 81));
  EXPECT_EQ(lend().value().plan.rows, (std::vector<RowRule>{kByHardness, kForbidden}));
}

TEST_F(LargeClaimTest, CachedTokensCostNothing) {
  open(LaneId::kLarge, {.batch_tokens = 50});
  add(lone_prompt(1, 48));
  take_back(lend().value(), {0});
  add(lone_prompt(1, 49));
  add(lone_prompt(2, 49));
  const LargeClaim claim = lend().value();
  EXPECT_EQ(claim.plan.rows, (std::vector<RowRule>{kByHardness, kByHardness}));
  EXPECT_EQ(claim.leases[0].value().cached_tokens, 48);
}

TEST_F(LargeClaimTest, PagesRunOut) {
  open(LaneId::kLarge, {.kv_pages = 3});
  add(lone_prompt(1, 30));
  add(lone_prompt(2, 30));
  add(lone_prompt(3, 10));
  EXPECT_EQ(lend().value().plan.rows, (std::vector<RowRule>{kByHardness, kForbidden, kByHardness}));
}

TEST_F(LargeClaimTest, NoPageIsEverBeyondTheBudget) {
  open(LaneId::kLarge, {.kv_pages = 2});
  add(lone_prompt(1, 33));
  add(lone_prompt(2, 32));
  EXPECT_EQ(lend().value().plan.rows, (std::vector<RowRule>{kForbidden, kByHardness}));
}

// A prompt of all pages can't keep the one that it would copy its beginning from, and has more to compute then.
TEST_F(LargeClaimTest, ALeaseThatFindsLessThanWasCachedIsCountedByWhatItFinds) {
  open(LaneId::kLarge, {.batch_tokens = 20, .kv_pages = 2});
  add(lone_prompt(1, 10));
  take_back(lend().value(), {0});
  add(lone_prompt(1, 26));
  EXPECT_FALSE(lend());
  EXPECT_EQ(queue_->stats().kv_pages_used, 0);
}

TEST_F(LargeClaimTest, NothingCachedIsGivenUpForARowThatDoesNotFit) {
  open(LaneId::kLarge, {.batch_tokens = 32, .kv_pages = 4});
  add(lone_prompt(1, 32));
  take_back(lend().value(), {0});
  add(lone_prompt(2, 60));
  add({3});
  EXPECT_EQ(lend().value().plan.rows, (std::vector<RowRule>{kForbidden, kByHardness}));
  EXPECT_EQ(queue_->stats().evicted_pages, 0u);
}

TEST_F(LargeClaimTest, OnlyWhatWasReadStaysCachedAndCounts) {
  open(LaneId::kLarge, {});
  add(lone_prompt(1, 32));
  add(lone_prompt(2, 32));
  add(lone_prompt(3, 32));
  const LargeClaim claim = lend().value();
  EXPECT_EQ(queue_->stats().running, 3u);
  EXPECT_EQ(queue_->stats().kv_pages_used, 6);
  take_back(claim, {1}, {2});
  const LaneStats stats = queue_->stats();
  EXPECT_EQ(stats.running, 0u);
  EXPECT_EQ(stats.kv_pages_used, 2);
  EXPECT_EQ(stats.batches, 1u);
  EXPECT_EQ(stats.rows, 2u);
  EXPECT_EQ(stats.tokens, 64u);
  EXPECT_EQ(stats.budget_tokens, 256u);
  for (const int32_t tag : {1, 2, 3}) add(lone_prompt(tag, 32));
  const LargeClaim again = lend().value();
  EXPECT_EQ(again.leases[0].value().cached_tokens, 0);
  EXPECT_EQ(again.leases[1].value().cached_tokens, 31);
  EXPECT_EQ(again.leases[2].value().cached_tokens, 0);
}

TEST_F(LargeClaimTest, ThePaceIsLearnt) {
  open(LaneId::kLarge, {.batch_ms = 100});
  add(lone_prompt(1, 20));
  take_back(lend().value(), {0});  // 10 ms
  for (int32_t tag = 2; tag <= 4; ++tag) push(lone_prompt(tag, 90));
  EXPECT_EQ(cut().size(), 2u);  // of the 200 tokens that 100 ms are now known to be good for
}

}  // namespace
}  // namespace saferoute::engine
