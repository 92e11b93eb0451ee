// The way of a request through the engine when nothing goes wrong: who reads it, in which batch, and what the caller
// hears.
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace saferoute::engine {
namespace {

using Kind = EscalationRule::Kind;
using CascadeTest = EngineTest;

TEST_F(CascadeTest, AnEasyRowEndsAtTheSmallGuard) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  const Ticket ticket = submit(3, 5);
  const Event done = log_.wait_for(ticket);
  EXPECT_EQ(done.kind, Event::Kind::kDone);
  EXPECT_EQ(done.escalation, Escalation::kNone);
  ASSERT_TRUE(done.small);
  EXPECT_EQ(done.small->safe, 3.0);
  EXPECT_FALSE(done.large);
  EXPECT_FLOAT_EQ(static_cast<float>(done.hardness.value()), 0.1f);
  EXPECT_EQ(done.prompt_tokens, 5);
  EXPECT_EQ(done.computed_tokens, 5);
  EXPECT_EQ(log_.of(ticket).size(), 1u);
  EXPECT_TRUE(large_.batches().empty());
}

TEST_F(CascadeTest, AHardRowGoesOnToTheLargeGuard) {
  large_.answer = [](int32_t) { return Answer{.logits = {0.0f, 2.0f}}; };
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  const Ticket ticket = engine_->submit(
      {.target = Target::kCascade, .small_ids = prompt(kHardFrom, 5), .large_ids = prompt(7, 3), .want_feature = true});
  const Event done = log_.wait_for(ticket);
  EXPECT_EQ(done.kind, Event::Kind::kDone);
  EXPECT_EQ(done.escalation, Escalation::kRule);
  EXPECT_EQ(done.small.value().safe, static_cast<double>(kHardFrom));
  EXPECT_EQ(done.small->feature, std::vector<float>(4, kHardFrom));
  EXPECT_EQ(done.large.value().unsafe, 2.0);
  EXPECT_EQ(done.large->feature, std::vector<float>(4, 7));
  EXPECT_FLOAT_EQ(static_cast<float>(done.hardness.value()), 0.9f);
  EXPECT_EQ(done.prompt_tokens, 5);
  EXPECT_EQ(done.computed_tokens, 8);
}

TEST_F(CascadeTest, AHardRowsStageComesFirst) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  const Ticket ticket = submit(kHardFrom);
  log_.wait_for(ticket);
  const std::vector<Event> events = log_.of(ticket);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, Event::Kind::kStage);
  EXPECT_EQ(events[0].escalation, Escalation::kRule);
  EXPECT_EQ(events[0].small.value().safe, static_cast<double>(kHardFrom));
  EXPECT_FALSE(events[0].large);
  EXPECT_EQ(events[0].computed_tokens, 1);
  EXPECT_EQ(events[1].kind, Event::Kind::kDone);
}

TEST_F(CascadeTest, WithoutIdsOfItsOwnTheLargeGuardReadsTheSmallOnes) {
  ASSERT_FALSE(start(with_rule(Kind::kAlways)));
  const Event done = check(11);
  EXPECT_EQ(done.large.value().safe, 11.0);
  EXPECT_EQ(large_.batches(), (std::vector<std::vector<int32_t>>{{11}}));
}

TEST_F(CascadeTest, TargetsBypassTheRule) {
  ASSERT_FALSE(start(with_rule(Kind::kAlways)));
  const Event small = check(kHardFrom, Target::kSmall);
  EXPECT_TRUE(small.small);
  EXPECT_FALSE(small.large);
  EXPECT_EQ(small.escalation, Escalation::kNone);
  const Event large = check(5, Target::kLarge);
  EXPECT_FALSE(large.small);
  EXPECT_EQ(large.large.value().safe, 5.0);
  EXPECT_FALSE(large.hardness);
  EXPECT_EQ(large.escalation, Escalation::kNone);
  EXPECT_EQ(large.prompt_tokens, 1);
  EXPECT_EQ(small_.batches().size(), 1u);
}

TEST_F(CascadeTest, EntropyNeedsNoRouter) {
  small_.info.has_router = false;
  small_.answer = [](int32_t tag) { return Answer{.logits = {0.0f, tag == 1 ? 0.0f : 9.0f}}; };
  ASSERT_FALSE(start(with_rule(Kind::kEntropy)));
  const Event unsure = check(1);
  const Event sure = check(2);
  EXPECT_EQ(unsure.escalation, Escalation::kRule);
  EXPECT_FALSE(unsure.hardness);
  EXPECT_EQ(sure.escalation, Escalation::kNone);
}

TEST_F(CascadeTest, WithoutALargeGuardTheSmallOneDecides) {
  ASSERT_FALSE(start(with_rule(Kind::kNever), false));
  EXPECT_EQ(engine_->large_info(), nullptr);
  EXPECT_EQ(engine_->small_info().hidden_size, 4);
  const Event done = check(kHardFrom);
  EXPECT_EQ(done.kind, Event::Kind::kDone);
  EXPECT_EQ(done.escalation, Escalation::kNone);
  EXPECT_EQ(code_of([&] { submit(1, 1, Target::kLarge); }), ErrorCode::kInvalidArgument);
}

// The coin depends on the order of submission alone, not on how the requests fall into batches.
TEST_F(CascadeTest, SeededChanceRepeatsFromEngineToEngine) {
  EngineOptions options = with_rule(Kind::kRandom);
  options.escalation.seed = 9;
  std::array<std::vector<bool>, 2> escalated;
  for (int32_t run = 0; run < 2; ++run) {
    options.batch_rows = run == 0 ? 1 : 64;
    ready_ = {};
    ASSERT_FALSE(start(options));
    std::vector<Ticket> tickets;
    for (int32_t tag = 0; tag < 64; ++tag) tickets.push_back(submit(tag));
    for (const Ticket ticket : tickets) escalated[run].push_back(goes_on(log_.wait_for(ticket).escalation));
    engine_.reset();
    log_.clear();
  }
  EXPECT_EQ(escalated[0], escalated[1]);
  EXPECT_NE(escalated[0], std::vector<bool>(64, false));
  EXPECT_NE(escalated[0], std::vector<bool>(64, true));
}

TEST_F(CascadeTest, TheSmallGuardAnswersWhileALargeBatchRuns) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  large_.pass_gate.shut();
  const Ticket hard = submit(kHardFrom);
  large_.pass_gate.wait_for_arrivals(1);
  for (int32_t tag = 0; tag < 10; ++tag) EXPECT_EQ(check(tag).kind, Event::Kind::kDone);
  EXPECT_EQ(engine_->stats().large.running, 1u);
  large_.pass_gate.open();
  EXPECT_EQ(log_.wait_for(hard).kind, Event::Kind::kDone);
}

TEST_F(CascadeTest, HardRowsGatherWhileALargeBatchRuns) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  large_.pass_gate.shut();
  submit(kHardFrom);
  large_.pass_gate.wait_for_arrivals(1);
  std::vector<Ticket> hard;
  for (int32_t tag = kHardFrom + 1; tag <= kHardFrom + 3; ++tag) {
    hard.push_back(submit(tag));
    log_.wait_for_stage(hard.back());
  }
  // The small guard takes no new batch before it has handed the rows of the last one over.
  check(1);
  EXPECT_EQ(engine_->stats().large.queued, 3u);
  large_.pass_gate.open();
  for (const Ticket ticket : hard) log_.wait_for(ticket);
  EXPECT_EQ(large_.batches()[1], (std::vector<int32_t>{kHardFrom + 1, kHardFrom + 2, kHardFrom + 3}));
}

TEST_F(CascadeTest, BatchesAreCutInOrderByTheTokenBudget) {
  EngineOptions options = with_rule(Kind::kNever);
  options.batch_tokens = 10;
  ASSERT_FALSE(start(options));
  occupy_small();
  std::vector<Ticket> tickets;
  int32_t tag = 10;
  for (const size_t length : {4, 6, 1, 20, 9, 2}) tickets.push_back(submit(tag++, length));
  small_.pass_gate.open();
  for (const Ticket ticket : tickets) log_.wait_for(ticket);
  EXPECT_EQ(small_.batches(), (std::vector<std::vector<int32_t>>{{1}, {10, 11}, {12}, {13}, {13}, {14}, {15}}));
}

TEST_F(CascadeTest, BatchesAreCutByTheRowLimit) {
  EngineOptions options = with_rule(Kind::kNever);
  options.batch_rows = 2;
  ASSERT_FALSE(start(options));
  occupy_small();
  std::vector<Ticket> tickets;
  for (int32_t tag = 10; tag < 15; ++tag) tickets.push_back(submit(tag));
  small_.pass_gate.open();
  for (const Ticket ticket : tickets) log_.wait_for(ticket);
  EXPECT_EQ(small_.batches(), (std::vector<std::vector<int32_t>>{{1}, {10, 11}, {12, 13}, {14}}));
}

TEST_F(CascadeTest, OnlyTheRowThatAskedGetsItsFeature) {
  ASSERT_FALSE(start(with_rule(Kind::kNever)));
  occupy_small();
  const Ticket with =
      engine_->submit({.target = Target::kSmall, .small_ids = prompt(2), .large_ids = {}, .want_feature = true});
  const Ticket without = submit(3);
  small_.pass_gate.open();
  EXPECT_EQ(log_.wait_for(with).small.value().feature, std::vector<float>(4, 2));
  EXPECT_TRUE(log_.wait_for(without).small.value().feature.empty());
}

TEST_F(CascadeTest, AFeatureIsRouted) {
  ASSERT_FALSE(start(with_rule(Kind::kNever)));
  const Ticket ticket = engine_->route({0.75f, 0, 0, 0});
  const Event routed = log_.wait_for(ticket);
  EXPECT_EQ(routed.kind, Event::Kind::kRouted);
  EXPECT_EQ(routed.hardness, 0.75);
  EXPECT_TRUE(small_.batches().empty());
}

TEST_F(CascadeTest, FeaturesWaitTheirTurnAmongRequests) {
  ASSERT_FALSE(start(with_rule(Kind::kNever)));
  occupy_small();
  const Ticket before = submit(10);
  const Ticket feature = engine_->route({0.5f, 0, 0, 0});
  const Ticket after = submit(11);
  small_.pass_gate.open();
  for (const Ticket ticket : {before, feature, after}) log_.wait_for(ticket);
  std::vector<Ticket> order;
  for (const Event& event : log_.all()) order.push_back(event.ticket);
  EXPECT_EQ(std::vector<Ticket>(order.begin() + 1, order.end()), (std::vector<Ticket>{before, feature, after}));
}

TEST_F(CascadeTest, AFullHouseRefusesAndNeverBlocks) {
  EngineOptions options = with_rule(Kind::kAlways);
  options.queue_requests = 3;
  ASSERT_FALSE(start(options));
  large_.pass_gate.shut();
  const Ticket in_large = submit(1);
  large_.pass_gate.wait_for_arrivals(1);
  submit(2);
  const Ticket third = submit(3);
  EXPECT_EQ(code_of([&] { submit(4); }), ErrorCode::kOverloaded);
  EXPECT_EQ(code_of([&] { engine_->route({0, 0, 0, 0}); }), ErrorCode::kOverloaded);
  EXPECT_TRUE(engine_->cancel(third));
  submit(5);
  large_.pass_gate.open();
  log_.wait_for(in_large);
  EXPECT_NO_THROW(submit(6));
}

TEST_F(CascadeTest, TheHouseIsCountedInFull) {
  EngineOptions options = with_rule(Kind::kRouter);
  options.batch_rows = 2;
  ASSERT_FALSE(start(options));
  occupy_small();
  std::vector<Ticket> tickets;
  for (const int32_t tag : {10, 11, kHardFrom, kHardFrom + 1}) tickets.push_back(submit(tag, 3));
  const Ticket given_up = submit(12);
  EXPECT_EQ(engine_->stats().small.queued, 5u);
  EXPECT_EQ(engine_->stats().small.running, 1u);
  EXPECT_TRUE(engine_->cancel(given_up));
  small_.pass_gate.open();
  for (const Ticket ticket : tickets) log_.wait_for(ticket);
  engine_->close();
  const EngineStats stats = engine_->stats();
  EXPECT_EQ(stats.submitted, 6u);
  EXPECT_EQ(stats.completed, 5u);
  EXPECT_EQ(stats.cancelled, 1u);
  EXPECT_EQ(stats.escalated, 2u);
  EXPECT_EQ(stats.failed, 0u);
  EXPECT_EQ(stats.small.batches, 3u);
  EXPECT_EQ(stats.small.rows, 5u);
  EXPECT_EQ(stats.small.tokens, 13u);
  EXPECT_EQ(stats.large.rows, 2u);
  EXPECT_EQ(stats.small.queued + stats.small.running + stats.large.queued + stats.large.running, 0u);
}

TEST_F(CascadeTest, TimesAddUp) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  const Event easy = check(1);
  EXPECT_GT(easy.timing.small_ms, 0);
  EXPECT_EQ(easy.timing.large_ms, 0);
  const Event hard = check(kHardFrom);
  EXPECT_GT(hard.timing.large_ms, 0);
  for (const Timing& timing : {easy.timing, hard.timing}) {
    EXPECT_GE(timing.queue_ms, 0);
    EXPECT_GE(timing.total_ms, timing.queue_ms + timing.small_ms + timing.large_ms);
  }
}

TEST_F(CascadeTest, ABackendNeverLeavesItsThread) {
  ASSERT_FALSE(start(with_rule(Kind::kAlways)));
  check(1);
  log_.wait_for(engine_->route({0, 0, 0, 0}));
  engine_.reset();
  EXPECT_FALSE(small_.left_its_thread);
  EXPECT_FALSE(large_.left_its_thread);
  EXPECT_EQ(small_.alive + large_.alive, 0);
}

}  // namespace
}  // namespace saferoute::engine
