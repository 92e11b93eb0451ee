// Both guards in one pass on the device: when the engine asks for it, what it makes of the answer, and that the large
// guard's own lane rests meanwhile.
#include <memory>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/device_cascade_fixture.h"

namespace saferoute::engine {
namespace {

using Kind = EscalationRule::Kind;
using Tags = std::vector<std::vector<int32_t>>;

TEST_F(DeviceCascadeTest, AHardRowIsReadInTheSamePass) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  occupy_small();
  const Ticket easy = submit(2, 4);
  const Ticket hard =
      engine_->submit({.small_ids = prompt(kHardFrom, 5), .large_ids = prompt(7, 3), .want_feature = true});
  small_.pass_gate.open();
  const Event done = log_.wait_for(hard);
  EXPECT_EQ(done.kind, Event::Kind::kDone);
  EXPECT_EQ(done.escalation, Escalation::kRule);
  EXPECT_EQ(done.small.value().safe, static_cast<double>(kHardFrom));
  EXPECT_EQ(done.small->feature, std::vector<float>(4, kHardFrom));
  EXPECT_EQ(done.large.value().safe, 7.0);
  EXPECT_EQ(done.large->feature, std::vector<float>(4, 7));
  EXPECT_EQ(done.prompt_tokens, 5);
  EXPECT_EQ(done.computed_tokens, 8);
  EXPECT_FALSE(log_.wait_for(easy).large);
  EXPECT_EQ(small_.cascades, 1);
  EXPECT_EQ(small_.batches(), (Tags{{1}, {2, kHardFrom}}));
  EXPECT_EQ(large_.batches(), (Tags{{7}}));
}

TEST_F(DeviceCascadeTest, TheStageComesFirst) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  const Ticket ticket = submit(kHardFrom);
  log_.wait_for(ticket);
  const std::vector<Event> events = log_.of(ticket);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].kind, Event::Kind::kStage);
  EXPECT_EQ(events[0].escalation, Escalation::kRule);
  EXPECT_FALSE(events[0].large);
  EXPECT_EQ(events[0].computed_tokens, 1);
  EXPECT_EQ(events[1].kind, Event::Kind::kDone);
  EXPECT_EQ(small_.cascades, 1);
}

TEST_F(DeviceCascadeTest, BothLanesAreCounted) {
  EngineOptions options = with_rule(Kind::kRouter);
  options.batch_ms = 1e9;
  ASSERT_FALSE(start(options));
  small_.pass_gate.shut();
  const Ticket ticket = engine_->submit({.small_ids = prompt(kHardFrom, 40), .large_ids = prompt(kHardFrom, 20)});
  small_.pass_gate.wait_for_arrivals(1);
  EXPECT_EQ(engine_->stats().small.running, 1u);
  EXPECT_EQ(engine_->stats().large.running, 1u);
  EXPECT_EQ(engine_->stats().large.kv_pages_used, 2);
  small_.pass_gate.open();
  log_.wait_for(ticket);
  const Event again =
      log_.wait_for(engine_->submit({.small_ids = prompt(kHardFrom, 40), .large_ids = prompt(kHardFrom, 20)}));
  EXPECT_EQ(again.cached_tokens, 39 + 19);
  EXPECT_EQ(again.computed_tokens, 2);
  EXPECT_EQ(small_.cascades, 2);
  const EngineStats stats = engine_->stats();
  EXPECT_EQ(stats.escalated, 2u);
  EXPECT_EQ(stats.large.batches, 2u);
  EXPECT_EQ(stats.large.rows, 2u);
  EXPECT_EQ(stats.large.tokens, 21u);
  EXPECT_EQ(stats.large.cached_tokens, 19u);
  // Nothing is known of the guard's pace before the first pass; the second knows it by its part of that.
  EXPECT_EQ(stats.large.budget_tokens, 256u + 1024u);
  EXPECT_EQ(stats.large.queued + stats.large.running, 0u);
  EXPECT_EQ(stats.large_latency.count, 2u);
}

TEST_F(DeviceCascadeTest, WhereNoRowIsHardTheLargeGuardHasDoneNothing) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  check_together({2, 3}, 40);
  EXPECT_EQ(small_.cascades, 1);
  EXPECT_EQ(engine_->stats().large.batches, 0u);
  EXPECT_EQ(engine_->stats().large.budget_tokens, 0u);
  EXPECT_EQ(engine_->stats().large.kv_pages_used, 0);
}

TEST_F(DeviceCascadeTest, ThePassCountsOnceForEveryRow) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  const std::vector<Event> events = check_together({2, kHardFrom});
  const Timing &easy = events[0].timing, &hard = events[1].timing;
  EXPECT_EQ(easy.large_ms, 0);
  EXPECT_GT(hard.large_ms, 0);
  EXPECT_DOUBLE_EQ(easy.small_ms, hard.small_ms + hard.large_ms);
  for (const Timing& timing : {easy, hard}) {
    EXPECT_GE(timing.total_ms, timing.queue_ms + timing.small_ms + timing.large_ms);
  }
}

TEST_F(DeviceCascadeTest, TheLargeLaneRestsMeanwhile) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  small_.pass_gate.shut();
  const Ticket hard = submit(kHardFrom);
  small_.pass_gate.wait_for_arrivals(1);
  const Ticket large = submit(5, 1, Target::kLarge);
  EXPECT_EQ(engine_->stats().large.queued, 1u);
  small_.pass_gate.open();
  EXPECT_EQ(log_.wait_for(hard).kind, Event::Kind::kDone);
  EXPECT_EQ(log_.wait_for(large).kind, Event::Kind::kDone);
  EXPECT_EQ(large_.batches(), (Tags{{kHardFrom}, {5}}));
}

// The caller of the small lane's events holds it up, and not the large lane.
TEST_F(DeviceCascadeTest, TheLargeLaneGoesOnOnceThePassIsOver) {
  EngineOptions options = with_rule(Kind::kRouter);
  options.max_wait_ms = 0;  // nothing but the loan keeps it from starting
  Gate slow_caller;
  slow_caller.shut();
  engine_ = std::make_unique<Engine>(
      small_.factory(), large_.factory(), options,
      [&](Event&& event) {
        if (event.kind == Event::Kind::kStage) slow_caller.pass({});
        log_.add(std::move(event));
      },
      [this](const Error*) { ready_.set_value(std::nullopt); });
  ASSERT_FALSE(wait_until_ready());
  small_.pass_gate.shut();
  const Ticket hard = submit(kHardFrom);
  small_.pass_gate.wait_for_arrivals(1);
  const Ticket large = submit(5, 1, Target::kLarge);
  Request overdue{.target = Target::kLarge, .small_ids = {}, .large_ids = prompt(6)};
  overdue.deadline_ms = 0;
  // By now the large lane has found that it may not start.
  EXPECT_EQ(log_.wait_for(engine_->submit(std::move(overdue))).error_code, ErrorCode::kDeadline);
  small_.pass_gate.open();
  EXPECT_EQ(log_.wait_for(large).kind, Event::Kind::kDone);
  EXPECT_TRUE(log_.of(hard).empty());
  slow_caller.open();
  EXPECT_EQ(log_.wait_for(hard).kind, Event::Kind::kDone);
}

TEST_F(DeviceCascadeTest, WhileTheLargeLaneRunsTheQueuesAreUsed) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  large_.pass_gate.shut();
  const Ticket running = submit(5, 1, Target::kLarge);
  large_.pass_gate.wait_for_arrivals(1);
  const Ticket hard = submit(kHardFrom);
  log_.wait_for_stage(hard);
  large_.pass_gate.open();
  EXPECT_EQ(log_.wait_for(running).kind, Event::Kind::kDone);
  EXPECT_TRUE(log_.wait_for(hard).large);
  EXPECT_EQ(small_.cascades, 0);
}

TEST_F(DeviceCascadeTest, WhileRowsWaitForTheLargeLaneTheQueuesAreUsed) {
  EngineOptions options = with_rule(Kind::kRouter);
  options.max_wait_ms = 1e9;
  ASSERT_FALSE(start(options));
  occupy_small();
  const Ticket gathering = submit(5, 1, Target::kLarge);
  const Ticket hard = submit(kHardFrom);
  small_.pass_gate.open();
  EXPECT_TRUE(log_.wait_for(hard).large);
  EXPECT_TRUE(log_.wait_for(gathering).large);
  EXPECT_EQ(small_.cascades, 0);
  EXPECT_EQ(large_.batches(), (Tags{{5, kHardFrom}}));
}

TEST_F(DeviceCascadeTest, RulesThatTheDeviceDoesNotKnowUseTheQueues) {
  std::vector<EngineOptions> all = {with_rule(Kind::kEntropy, 0), with_rule(Kind::kBudget, 1), with_rule(Kind::kRouter),
                                    with_rule(Kind::kRouter)};
  all[2].valves.shadow = true;
  all[3].valves.cap = {.per_second = 1000};
  for (const EngineOptions& options : all) {
    ready_ = {};
    ASSERT_FALSE(start(options));
    const Event done = check(kHardFrom);
    EXPECT_EQ(done.kind, Event::Kind::kDone);
    EXPECT_NE(done.escalation, Escalation::kNone);
    engine_.reset();
    log_.clear();
  }
  EXPECT_EQ(small_.cascades, 0);
}

TEST_F(DeviceCascadeTest, AuditsAreForced) {
  EngineOptions options = with_rule(Kind::kNever);
  options.valves.audit_rate = 1;
  ASSERT_FALSE(start(options));
  const Event done = check(2);
  EXPECT_EQ(done.escalation, Escalation::kAudit);
  EXPECT_TRUE(done.large);
  EXPECT_EQ(small_.cascades, 1);
  EXPECT_EQ(engine_->stats().valves.audits_agreed, 1u);
}

TEST_F(DeviceCascadeTest, WhereTheRuleSendsNobodyOnTheLargeGuardIsLeftAlone) {
  ASSERT_FALSE(start(with_rule(Kind::kNever)));
  check(kHardFrom);
  EXPECT_EQ(small_.cascades, 0);
}

TEST_F(DeviceCascadeTest, OnlyCascadesOwnRowsAreGivenToTheLargeGuard) {
  ASSERT_FALSE(start(with_rule(Kind::kAlways)));
  occupy_small();
  const Ticket small = submit(kHardFrom, 1, Target::kSmall);
  const Ticket cascade = submit(3);
  small_.pass_gate.open();
  EXPECT_FALSE(log_.wait_for(small).large);
  EXPECT_TRUE(log_.wait_for(cascade).large);
  EXPECT_EQ(small_.cascades, 1);
  EXPECT_EQ(large_.batches(), (Tags{{3}}));
}

TEST_F(DeviceCascadeTest, ALongPromptIsGivenToItOnceItEnds) {
  EngineOptions options = with_rule(Kind::kRouter);
  options.batch_tokens = 16;
  ASSERT_FALSE(start(options));
  const Ticket ticket = engine_->submit({.small_ids = prompt(kHardFrom, 40), .large_ids = prompt(7, 3)});
  EXPECT_EQ(log_.wait_for(ticket).large.value().safe, 7.0);
  EXPECT_EQ(small_.computed(), (Tags{{16}, {16}, {8}}));
  EXPECT_EQ(small_.cascades, 1);
}

TEST_F(DeviceCascadeTest, ARowWithoutPagesGoesByTheQueue) {
  large_.info.kv_pages = 3;
  ASSERT_FALSE(start(with_rule(Kind::kAlways)));
  for (const Event& event : check_together({10, 11, 12}, 20)) EXPECT_TRUE(event.large);
  EXPECT_EQ(small_.cascades, 1);
  EXPECT_EQ(large_.batches().front(), (std::vector<int32_t>{10}));
}

TEST_F(DeviceCascadeTest, ARowBeyondThePassGoesByTheQueue) {
  EngineOptions options = with_rule(Kind::kAlways);
  options.batch_tokens = 50;
  ASSERT_FALSE(start(options));
  for (const Event& event : check_together({10, 11, 12}, 30)) EXPECT_TRUE(event.large);
  EXPECT_EQ(small_.cascades, 1);
  EXPECT_EQ(large_.batches().front(), (std::vector<int32_t>{10}));
}

// The device has no pages beyond the budget: one row that needs them would fail all the others.
TEST_F(DeviceCascadeTest, APromptBeyondTheBudgetOfPagesGoesByTheQueue) {
  large_.info.kv_pages = 2;
  ASSERT_FALSE(start(with_rule(Kind::kAlways)));
  const Event done = log_.wait_for(engine_->submit({.small_ids = prompt(10), .large_ids = prompt(10, 60)}));
  EXPECT_TRUE(done.large);
  EXPECT_EQ(small_.cascades, 0);
  const std::vector<Event> others = check_together({11, 12}, 5);
  EXPECT_TRUE(others[0].large && others[1].large);
  EXPECT_EQ(large_.overflow_pages(), 0u);
}

TEST_F(DeviceCascadeTest, TheSmallGuardsPagesBeyondTheBudgetAreGivenBack) {
  small_.info.kv_pages = 2;
  ASSERT_FALSE(start(with_rule(Kind::kAlways)));
  EXPECT_TRUE(log_.wait_for(engine_->submit({.small_ids = prompt(10, 60), .large_ids = prompt(10)})).large);
  EXPECT_EQ(small_.cascades, 1);
  check(11);
  EXPECT_EQ(small_.overflow_pages(), 0u);
}

}  // namespace
}  // namespace saferoute::engine
