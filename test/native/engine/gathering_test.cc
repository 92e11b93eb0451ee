// When the large guard's passes start while the small one works, who goes first in them, and the figures of it all.
#include <algorithm>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace saferoute::engine {
namespace {

using Kind = EscalationRule::Kind;

class EngineGatheringTest : public EngineTest {
 protected:
  // Rows gather for as long as the test lasts, unless something else starts their pass.
  static EngineOptions patient() {
    EngineOptions options = with_rule(Kind::kRouter);
    options.max_wait_ms = 1e9;
    return options;
  }

  // Hands rows to the large guard's queue while the small guard has more to do, and returns once they are there: the
  // small guard then stands in a pass of its own.
  std::vector<Ticket> escalate_under_load(const std::vector<int32_t>& tags) {
    occupy_small();
    std::vector<Ticket> tickets;
    for (const int32_t tag : tags) tickets.push_back(submit(tag));
    small_.pass_gate.let_one_through();
    small_.pass_gate.wait_for_arrivals(2);  // the rows are in flight
    submit(2, 1, Target::kSmall);
    small_.pass_gate.let_one_through();
    small_.pass_gate.wait_for_arrivals(3);  // and handed over
    return tickets;
  }
};

TEST_F(EngineGatheringTest, HardRowsGatherWhileTheSmallGuardIsBusy) {
  ASSERT_FALSE(start(patient()));
  const std::vector<Ticket> first = escalate_under_load({kHardFrom, kHardFrom + 1});
  EXPECT_EQ(engine_->stats().large.queued, 2u);
  EXPECT_TRUE(large_.batches().empty());
  small_.pass_gate.open();
  for (const Ticket ticket : first) EXPECT_EQ(log_.wait_for(ticket).kind, Event::Kind::kDone);
  EXPECT_EQ(large_.batches(), (std::vector<std::vector<int32_t>>{{kHardFrom, kHardFrom + 1}}));
}

TEST_F(EngineGatheringTest, ARowThatMayNotWaitDoesNot) {
  EngineOptions options = patient();
  options.max_wait_ms = 0;
  ASSERT_FALSE(start(options));
  const std::vector<Ticket> hard = escalate_under_load({kHardFrom});
  EXPECT_EQ(log_.wait_for(hard.front()).kind, Event::Kind::kDone);
}

// Nothing but the passing of time can start this pass.
TEST_F(EngineGatheringTest, ARowThatHasWaitedLongEnoughGoes) {
  EngineOptions options = patient();
  options.max_wait_ms = 5;
  ASSERT_FALSE(start(options));
  const std::vector<Ticket> hard = escalate_under_load({kHardFrom});
  EXPECT_EQ(log_.wait_for(hard.front()).kind, Event::Kind::kDone);
}

TEST_F(EngineGatheringTest, AFullPassDoesNotWait) {
  EngineOptions options = patient();
  options.batch_rows = 2;
  ASSERT_FALSE(start(options));
  occupy_small();
  const Ticket first = submit(1, 1, Target::kLarge);
  const Ticket second = submit(2, 1, Target::kLarge);
  EXPECT_EQ(log_.wait_for(first).kind, Event::Kind::kDone);
  EXPECT_EQ(log_.wait_for(second).kind, Event::Kind::kDone);
}

TEST_F(EngineGatheringTest, ARowWithADeadlineInSightDoesNotWait) {
  EngineOptions options = patient();
  options.batch_ms = 1e9;  // which a guard that was never measured is taken to need
  ASSERT_FALSE(start(options));
  occupy_small();
  Request request{.target = Target::kLarge, .small_ids = {}, .large_ids = prompt(1)};
  request.deadline_ms = 1e9;
  EXPECT_EQ(log_.wait_for(engine_->submit(std::move(request))).kind, Event::Kind::kDone);
}

TEST_F(EngineGatheringTest, InteractiveGoesBeforeBulk) {
  EngineOptions options = patient();
  options.batch_rows = 1;
  ASSERT_FALSE(start(options));
  occupy_small();
  Request bulk{.target = Target::kSmall, .small_ids = prompt(10), .large_ids = {}};
  bulk.priority = Priority::kBulk;
  const Ticket last = engine_->submit(std::move(bulk));
  submit(11);
  submit(12);
  small_.pass_gate.open();
  log_.wait_for(last);
  EXPECT_EQ(small_.batches(), (std::vector<std::vector<int32_t>>{{1}, {11}, {12}, {10}}));
}

TEST_F(EngineGatheringTest, LatenciesAreCountedByStage) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  const Event easy = check(1);
  const Event hard = check(kHardFrom);
  log_.wait_for(engine_->route({0, 0, 0, 0}));
  const EngineStats stats = engine_->stats();
  EXPECT_EQ(stats.queue_latency.count, 2u);
  EXPECT_EQ(stats.small_latency.count, 2u);
  EXPECT_EQ(stats.large_latency.count, 1u);
  EXPECT_EQ(stats.total_latency.count, 2u);
  EXPECT_NEAR(stats.total_latency.p99_ms / std::max(easy.timing.total_ms, hard.timing.total_ms), 1, 0.05);
}

}  // namespace
}  // namespace saferoute::engine
