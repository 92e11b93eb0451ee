// Who goes first, who waits for whom and for how long, and who has waited too long.
#include "engine/lane_queue.h"

#include <vector>

#include <gtest/gtest.h>

#include "engine/lane_queue_fixture.h"

namespace saferoute::engine {
namespace {

using Passes = std::vector<std::vector<Row>>;
class LaneOrderTest : public LaneQueueTest {
 protected:
  // One row per pass, so that the passes tell the order.
  LaneOrderTest() { open(LaneId::kSmall, {.batch_rows = 1, .max_wait_ms = 100}); }

  void push_one(int32_t tag, double ms, Priority priority = Priority::kInteractive, double deadline_ms = kNever) {
    push({tag}, ms, priority, deadline_ms);
  }

  int32_t next(double ms) {
    const int32_t tag = cut(ms).front().tag;
    settle(ms);
    return tag;
  }
};

TEST_F(LaneOrderTest, InteractiveBeforeBulkThenByArrival) {
  push_one(1, 0, Priority::kBulk);
  push_one(2, 1);
  push_one(3, 2, Priority::kBulk);
  push_one(4, 3);
  EXPECT_EQ(run(), (Passes{{{2, 1}}, {{4, 1}}, {{1, 1}}, {{3, 1}}}));
}

TEST_F(LaneOrderTest, WithinAClassTheEarliestDeadlineFirst) {
  push_one(1, 0);
  push_one(2, 0, Priority::kInteractive, 500);
  push_one(3, 0, Priority::kBulk, 50);
  push_one(4, 0, Priority::kInteractive, 400);
  push_one(5, 0, Priority::kBulk);
  EXPECT_EQ(run(), (Passes{{{4, 1}}, {{2, 1}}, {{1, 1}}, {{3, 1}}, {{5, 1}}}));
}

TEST_F(LaneOrderTest, BulkThatHasWaitedLongEnoughCountsAsInteractive) {
  push_one(1, 0, Priority::kBulk);
  push_one(2, 20, Priority::kBulk);
  push_one(3, 30);
  push_one(4, 30);
  push_one(5, 30);
  EXPECT_EQ(next(99), 3);
  EXPECT_EQ(next(100), 1);
  EXPECT_EQ(next(119), 4);
  EXPECT_EQ(next(120), 2);
  EXPECT_EQ(next(120), 5);
}

TEST_F(LaneOrderTest, BulkWithADeadlineComesThroughInteractiveOnesThatNeverEnd) {
  push_one(100, 0, Priority::kBulk, 60);
  push_one(101, 0, Priority::kBulk, 1000);
  std::vector<int32_t> order;
  for (int32_t ms = 0; ms < 120; ms += 10) {
    push_one(ms / 10, ms);
    order.push_back(next(ms));
  }
  EXPECT_EQ(order, (std::vector<int32_t>{0, 1, 2, 100, 3, 4, 5, 6, 7, 8, 101, 9}));
}

// One prompt with a deadline comes with every pass, so that one is always there to go first.
TEST_F(LaneOrderTest, WithoutADeadlineOneComesThroughDeadlinesThatNeverEnd) {
  push_one(100, 0);
  push_one(101, 5, Priority::kBulk);
  push_one(102, 5, Priority::kInteractive, 1e9);
  std::vector<int32_t> order;
  for (int32_t ms = 0; ms < 150; ms += 10) {
    push_one(ms / 10, ms, Priority::kInteractive, ms + 500);
    order.push_back(next(ms));
  }
  EXPECT_EQ(order, (std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100, 10, 101, 11, 102}));
}

TEST_F(LaneOrderTest, WithADeadlineOneComesThroughABacklogThatHasWaitedTooLong) {
  for (int32_t tag = 0; tag < 50; ++tag) push_one(tag, 0);
  EXPECT_EQ(next(200), 0);
  std::vector<int32_t> order;
  for (int32_t ms = 200; ms < 240; ms += 10) {
    push_one(ms, ms, Priority::kInteractive, ms + 15);
    order.push_back(next(ms));
  }
  EXPECT_EQ(order, (std::vector<int32_t>{200, 1, 210, 2}));
}

TEST_F(LaneOrderTest, APromptThatWasBegunComesThroughDeadlinesThatNeverEnd) {
  open(LaneId::kSmall, {.batch_tokens = 32, .max_wait_ms = 100});
  push(lone_prompt(1, 64), 0);
  EXPECT_EQ(cut(0), (std::vector<Row>{{1, 32}}));
  push(lone_prompt(2, 32), 60);
  settle(60);
  std::vector<int32_t> order;
  for (int32_t ms = 80; ms < 120; ms += 10) {
    push(lone_prompt(ms, 32), ms, Priority::kInteractive, ms + 500);
    order.push_back(next(ms));
  }
  EXPECT_EQ(order, (std::vector<int32_t>{80, 90, 1, 100}));
}

TEST_F(LaneOrderTest, BulkThatArrivesTooLateForItsDeadlineIsNotHeldUpFurther) {
  push_one(1, 10, Priority::kBulk, 5);
  EXPECT_EQ(queue_->take_overdue(at(10)).size(), 1u);
  push_one(2, 10);
  EXPECT_EQ(next(200), 2);
}

TEST_F(LaneOrderTest, DeadlinesArePassedOnceTheyAre) {
  push_one(1, 0, Priority::kInteractive, 50);
  push_one(2, 0, Priority::kBulk, 40);
  push_one(3, 0, Priority::kInteractive, 60);
  push_one(4, 0);
  EXPECT_TRUE(queue_->take_overdue(at(39)).empty());
  const JobList overdue = queue_->take_overdue(at(50));
  std::vector<int32_t> tags;
  for (const Job& job : overdue) tags.push_back(job.ids().front());
  EXPECT_EQ(tags, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(run(), (Passes{{{3, 1}}, {{4, 1}}}));
}

TEST_F(LaneOrderTest, APromptThatWasBegunMayEnd) {
  open(LaneId::kSmall, {.batch_tokens = 32});
  push(lone_prompt(1, 40), 0, Priority::kInteractive, 10);
  cut(5);
  settle(20);
  push({2}, 5, Priority::kInteractive, 9);
  push({3}, 5, Priority::kInteractive, 11);
  EXPECT_EQ(queue_->take_overdue(at(20)).size(), 2u);
  EXPECT_EQ(cut(20), (std::vector<Row>{{1, 8}}));
}

TEST_F(LaneOrderTest, WaitingIsCountedUntilTheCutAndBetweenSlices) {
  open(LaneId::kSmall, {.batch_tokens = 32});
  const JobList::iterator job = push(lone_prompt(1, 40), 0);
  cut(5);
  EXPECT_DOUBLE_EQ(job->event.timing.queue_ms, 5);
  settle(20, 15);
  cut(30);
  EXPECT_DOUBLE_EQ(job->event.timing.queue_ms, 15);
  EXPECT_DOUBLE_EQ(job->event.timing.small_ms, 15);
  EXPECT_EQ(job->event.computed_tokens, 32);
}

class GatheringTest : public LaneQueueTest {
 protected:
  static constexpr bool kGathers = true;
  static constexpr Clock::time_point kAtOnce = Clock::time_point::min();

  GatheringTest() { open(LaneId::kLarge, {}); }

  // Lets the guard be measured at 1 ms per token: it may take 250 at once then.
  void measure() {
    push(lone_prompt(99, 100));
    cut();
    settle(0, 100);
  }
};

TEST_F(GatheringTest, NothingStartsWithoutAJob) {
  EXPECT_EQ(queue_->next_start(kGathers), Clock::time_point::max());
  EXPECT_EQ(queue_->next_start(!kGathers), Clock::time_point::max());
}

TEST_F(GatheringTest, WithNothingToGatherForARowStartsAtOnce) {
  push(lone_prompt(1, 5));
  EXPECT_EQ(queue_->next_start(!kGathers), kAtOnce);
}

TEST_F(GatheringTest, TheOldestRowWaitsNoLongerThanItMay) {
  push(lone_prompt(1, 5), 10);
  push(lone_prompt(2, 5), 50);
  EXPECT_EQ(queue_->next_start(kGathers), at(110));
}

TEST_F(GatheringTest, AFullPassStartsAtOnce) {
  measure();
  push(lone_prompt(1, 125), 10);
  push(lone_prompt(2, 124), 10);
  EXPECT_EQ(queue_->next_start(kGathers), at(110));
  push({3}, 20);
  EXPECT_EQ(queue_->next_start(kGathers), kAtOnce);
  EXPECT_EQ(cut(20).size(), 3u);
}

TEST_F(GatheringTest, OnlyNewTokensFillAPass) {
  measure();
  push(lone_prompt(99, 101), 10);
  push(lone_prompt(99, 101), 10);
  push(lone_prompt(99, 101), 10);
  EXPECT_EQ(queue_->next_start(kGathers), at(110));
}

TEST_F(GatheringTest, APassFullOfRowsStartsAtOnce) {
  open(LaneId::kLarge, {.batch_rows = 2});
  push({1}, 10);
  EXPECT_EQ(queue_->next_start(kGathers), at(110));
  push({2}, 10);
  EXPECT_EQ(queue_->next_start(kGathers), kAtOnce);
}

TEST_F(GatheringTest, ARowWithADeadlineStartsTwoPassesBeforeIt) {
  measure();
  push(lone_prompt(1, 20), 10);
  push(lone_prompt(2, 10), 10, Priority::kInteractive, 90);
  EXPECT_EQ(queue_->next_start(kGathers), at(30));
}

TEST_F(GatheringTest, AnUnmeasuredGuardIsTakenToNeedAllItsTime) {
  push({1}, 10, Priority::kInteractive, 550);
  EXPECT_EQ(queue_->next_start(kGathers), at(50));
}

TEST_F(GatheringTest, AnUnfinishedPromptGoesOnAtOnce) {
  measure();
  push(lone_prompt(1, 400));
  EXPECT_EQ(cut(), (std::vector<Row>{{1, 240}}));
  settle(0, 240);
  EXPECT_EQ(queue_->next_start(kGathers), kAtOnce);
}

TEST_F(GatheringTest, PassesAreCutToTheirTime) {
  for (int32_t tag = 1; tag <= 4; ++tag) push(lone_prompt(tag, 100));
  EXPECT_EQ(cut(), (std::vector<Row>{{1, 100}, {2, 100}}));  // 256 tokens at first
  settle(0, 500);
  EXPECT_EQ(cut(), (std::vector<Row>{{3, 100}}));  // 2.5 ms per token
}

TEST_F(GatheringTest, TheSmallGuardsPassesAreCutByTokensAlone) {
  open(LaneId::kSmall, {});
  for (int32_t tag = 1; tag <= 4; ++tag) push(lone_prompt(tag, 100));
  EXPECT_EQ(cut().size(), 4u);
}

}  // namespace
}  // namespace saferoute::engine
