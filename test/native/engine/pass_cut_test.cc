// What goes into a pass: new tokens only, long prompts by slices, and nothing twice.
#include <vector>

#include <gtest/gtest.h>

#include "engine/lane_queue_fixture.h"

namespace saferoute::engine {
namespace {

using Passes = std::vector<std::vector<Row>>;
using PassCutTest = LaneQueueTest;

std::vector<int32_t> operator+(std::vector<int32_t> head, const std::vector<int32_t>& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

TEST_F(PassCutTest, CountsNewTokensOnly) {
  open(LaneId::kSmall, {.batch_tokens = 100});
  const std::vector<int32_t> head = lone_prompt(1, 90);
  push(head + lone_prompt(2, 5));
  EXPECT_EQ(run(), (Passes{{{1, 95}}}));
  for (int32_t tail = 3; tail < 13; ++tail) push(head + lone_prompt(tail, 10));
  EXPECT_EQ(run(), (Passes{std::vector<Row>(10, Row{1, 10})}));
  const LaneStats stats = queue_->stats();
  EXPECT_EQ(stats.tokens, 195u);
  EXPECT_EQ(stats.cached_tokens, 900u);
  EXPECT_EQ(stats.budget_tokens, 200u);
  EXPECT_EQ(stats.rows, 11u);
}

TEST_F(PassCutTest, TakesALongPromptInSlicesThatEndWithAPage) {
  open(LaneId::kSmall, {.batch_tokens = 50});
  push(lone_prompt(1, 7));
  push(lone_prompt(2, 120));
  push(lone_prompt(3, 20));
  push(lone_prompt(4, 6));
  EXPECT_EQ(run(), (Passes{{{1, 7}, {2, 32}}, {{2, 48}}, {{2, 40}}, {{3, 20}, {4, 6}}}));
}

TEST_F(PassCutTest, TakesAPromptThatFitsIntoAPassInOne) {
  open(LaneId::kSmall, {.batch_tokens = 50});
  push(lone_prompt(1, 10));
  push(lone_prompt(2, 50));
  EXPECT_EQ(run(), (Passes{{{1, 10}}, {{2, 50}}}));
}

TEST_F(PassCutTest, SlicesAlsoWhereAPageIsLargerThanThePass) {
  open(LaneId::kSmall, {.batch_tokens = 10});
  push(lone_prompt(1, 35));
  EXPECT_EQ(run(), (Passes{{{1, 10}}, {{1, 6}}, {{1, 10}}, {{1, 9}}}));
}

TEST_F(PassCutTest, LeavesOnePromptUnfinishedAtMost) {
  open(LaneId::kSmall, {.batch_tokens = 64});
  push(lone_prompt(1, 80));
  push(lone_prompt(2, 100));
  EXPECT_EQ(run(), (Passes{{{1, 64}}, {{1, 16}, {2, 48}}, {{2, 52}}}));
}

TEST_F(PassCutTest, AnUnfinishedPromptGoesOnInOrderOfPriority) {
  open(LaneId::kSmall, {.batch_tokens = 64, .max_wait_ms = kNever});
  push(lone_prompt(1, 200), 0, Priority::kBulk);
  EXPECT_EQ(cut(), (std::vector<Row>{{1, 64}}));
  push(lone_prompt(2, 40));
  settle();
  EXPECT_EQ(run(), (Passes{{{2, 40}, {1, 16}}, {{1, 64}}, {{1, 56}}}));
}

// A second long prompt goes first by its priority, but may not be begun; the one that was begun goes on instead.
TEST_F(PassCutTest, AnUnfinishedPromptGoesOnWhereTheFirstInLineCannot) {
  open(LaneId::kSmall, {.batch_tokens = 64, .max_wait_ms = kNever});
  push(lone_prompt(1, 100), 0, Priority::kBulk);
  EXPECT_EQ(cut(), (std::vector<Row>{{1, 64}}));
  push(lone_prompt(2, 100));
  settle();
  EXPECT_EQ(run(), (Passes{{{1, 36}}, {{2, 64}}, {{2, 36}}}));
}

TEST_F(PassCutTest, StopsWhereThePagesEnd) {
  open(LaneId::kSmall, {.kv_pages = 4});
  push(lone_prompt(1, 32));
  push(lone_prompt(2, 17));
  push(lone_prompt(3, 33));
  push(lone_prompt(4, 1));
  EXPECT_EQ(run(), (Passes{{{1, 32}, {2, 17}}, {{3, 33}, {4, 1}}}));
}

TEST_F(PassCutTest, APromptBeyondTheBudgetOfPagesGoesAlone) {
  open(LaneId::kSmall, {.batch_tokens = 64, .kv_pages = 4});
  push(lone_prompt(1, 10));
  push(lone_prompt(2, 100));
  push(lone_prompt(3, 10));
  EXPECT_EQ(cut(), (std::vector<Row>{{1, 10}}));
  settle();
  EXPECT_FALSE(queue_->take_overflow_release());
  EXPECT_EQ(cut(), (std::vector<Row>{{2, 64}}));
  settle();
  EXPECT_EQ(cut(), (std::vector<Row>{{2, 36}}));
  EXPECT_FALSE(queue_->take_overflow_release());
  settle();
  EXPECT_TRUE(queue_->take_overflow_release());
  EXPECT_FALSE(queue_->take_overflow_release());
  EXPECT_EQ(run(), (Passes{{{3, 10}}}));
}

TEST_F(PassCutTest, AGivenUpPromptLeavesItsPagesBeyondTheBudget) {
  open(LaneId::kSmall, {.batch_tokens = 64, .kv_pages = 4});
  const JobList::iterator job = push(lone_prompt(1, 100));
  cut();
  settle();
  EXPECT_FALSE(queue_->drop(job));
  EXPECT_TRUE(queue_->take_overflow_release());
  EXPECT_TRUE(queue_->is_idle());
  push(lone_prompt(1, 33));
  EXPECT_EQ(run(), (Passes{{{1, 1}}}));  // what was computed of it is cached
}

TEST_F(PassCutTest, TwoPromptsThatBeginAlikeDoNotComputeItTwice) {
  open(LaneId::kSmall, {});
  const std::vector<int32_t> head = lone_prompt(1, 40);
  push(head + lone_prompt(2, 5));
  push(head + lone_prompt(3, 5));
  push(lone_prompt(7, 20));
  push(head + lone_prompt(4, 5));
  EXPECT_EQ(run(), (Passes{{{1, 45}, {7, 20}}, {{1, 5}, {1, 5}}}));
}

TEST_F(PassCutTest, LittleInCommonIsComputedTwice) {
  open(LaneId::kSmall, {});
  const std::vector<int32_t> head = lone_prompt(1, 31);
  push(head + lone_prompt(2, 5));
  push(head + lone_prompt(3, 5));
  EXPECT_EQ(run(), (Passes{{{1, 36}, {1, 36}}}));
}

TEST_F(PassCutTest, WhatIsCachedAlreadyIsNotWaitedFor) {
  open(LaneId::kSmall, {});
  const std::vector<int32_t> head = lone_prompt(1, 40);
  push(head);
  run();
  push(head + lone_prompt(2, 20) + lone_prompt(3, 5));
  push(head + lone_prompt(2, 20) + lone_prompt(4, 5));
  push(head + lone_prompt(5, 40));
  EXPECT_EQ(run(), (Passes{{{1, 25}, {1, 25}, {1, 40}}}));
}

TEST_F(PassCutTest, LooksNoFurtherOnceAsManyWaitAsAPassHasRows) {
  open(LaneId::kSmall, {.batch_rows = 3});
  const std::vector<int32_t> head = lone_prompt(1, 40);
  for (int32_t tail = 2; tail <= 5; ++tail) push(head + lone_prompt(tail, 5));
  push({6});
  EXPECT_EQ(run(), (Passes{{{1, 45}}, {{1, 5}, {1, 5}, {1, 5}}, {{6, 1}}}));
}

TEST_F(PassCutTest, KeepsRequestsAndFeaturesApart) {
  open(LaneId::kSmall, {.batch_rows = 2});
  push(lone_prompt(1, 3));
  for (int count = 0; count < 3; ++count) push_route();
  push(lone_prompt(2, 3));
  EXPECT_EQ(run(), (Passes{{{1, 3}}, {{0, 0}, {0, 0}}, {{0, 0}}, {{2, 3}}}));
}

}  // namespace
}  // namespace saferoute::engine
