// The valves in a running engine: who reads what, what the caller hears, and what is counted.
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace saferoute::engine {
namespace {

using Kind = EscalationRule::Kind;

class ValveEventsTest : public EngineTest {
 protected:
  static EngineOptions with_valves(const ValveOptions& valves, Kind kind = Kind::kRouter) {
    EngineOptions options = with_rule(kind);
    options.valves = valves;
    return options;
  }

  // Room for one row, and none for the next in this test's time.
  static constexpr EscalationCap kOne{.per_second = 1e-6};
};

TEST_F(ValveEventsTest, AnAuditedRowIsReadByBothAndCompared) {
  small_.answer = [](int32_t) { return Answer{.logits = {2.0f, 0.0f}, .hardness = 0.1f}; };
  large_.answer = [](int32_t tag) { return Answer{.logits = {0.0f, tag == 1 ? 2.0f : -2.0f}}; };
  ASSERT_FALSE(start(with_valves({.audit_rate = 1, .alarm = {}, .cap = {}})));
  const Ticket ticket = submit(1);
  const Event done = log_.wait_for(ticket);
  EXPECT_EQ(done.escalation, Escalation::kAudit);
  EXPECT_TRUE(done.small && done.large);
  EXPECT_EQ(log_.of(ticket).front().kind, Event::Kind::kStage);
  check(2);
  const EngineStats stats = engine_->stats();
  EXPECT_EQ(stats.valves.audit, 2u);
  EXPECT_EQ(stats.valves.audits_agreed, 1u);
  EXPECT_EQ(stats.valves.audits_only_large_unsafe, 1u);
  EXPECT_EQ(stats.escalated, 2u);
}

TEST_F(ValveEventsTest, AHardRowsReadingsAreNoAudit) {
  ASSERT_FALSE(start(with_valves({.audit_rate = 1, .alarm = {}, .cap = {}})));
  check(kHardFrom);
  check(1, Target::kLarge);
  EXPECT_EQ(engine_->stats().valves.audits_agreed, 0u);
  EXPECT_EQ(engine_->stats().valves.decided, 1u);
}

TEST_F(ValveEventsTest, ACappedRowEndsAtTheSmallGuard) {
  ASSERT_FALSE(start(with_valves({.alarm = {}, .cap = kOne})));
  EXPECT_EQ(check(kHardFrom).escalation, Escalation::kRule);
  const Event capped = check(kHardFrom + 1);
  EXPECT_EQ(capped.kind, Event::Kind::kDone);
  EXPECT_EQ(capped.escalation, Escalation::kCapped);
  EXPECT_FALSE(capped.large);
  EXPECT_EQ(large_.batches().size(), 1u);
  EXPECT_EQ(engine_->stats().valves.capped, 1u);
  EXPECT_EQ(engine_->stats().completed, 2u);
}

TEST_F(ValveEventsTest, ACapThatRefusesFailsTheRow) {
  ASSERT_FALSE(start(with_valves({.alarm = {}, .cap = EscalationCap{.per_second = 1e-6, .refuses = true}})));
  check(kHardFrom);
  const Event refused = check(kHardFrom + 1);
  EXPECT_EQ(refused.kind, Event::Kind::kError);
  EXPECT_EQ(refused.error_code, ErrorCode::kOverloaded);
  EXPECT_EQ(refused.error_message, "the cap of 1e-06 escalations per second is reached");
  EXPECT_EQ(check(1).kind, Event::Kind::kDone);
  EXPECT_EQ(engine_->stats().failed, 1u);
  EXPECT_EQ(engine_->stats().valves.capped, 1u);
}

TEST_F(ValveEventsTest, InShadowModeTheLargeGuardReadsNothingAndNeedsNoPrompt) {
  large_.info.max_positions = 4;
  ASSERT_FALSE(start(with_valves({.audit_rate = 1, .alarm = {}, .cap = {}, .shadow = true})));
  const Event done = log_.wait_for(submit(kHardFrom, 20));
  EXPECT_EQ(done.escalation, Escalation::kShadow);
  EXPECT_EQ(done.kind, Event::Kind::kDone);
  check(1);
  EXPECT_TRUE(large_.batches().empty());
  EXPECT_EQ(engine_->stats().escalated, 0u);
}

TEST_F(ValveEventsTest, TheAlarmIsHeardBeforeTheRowThatSetItOff) {
  ASSERT_FALSE(
      start(with_valves({.alarm = AlarmBand{.low = 0, .high = 0.1, .window = 10}, .cap = {}, .shadow = true})));
  for (int row = 0; row < 10; ++row) check(kHardFrom);
  for (int row = 0; row < 10; ++row) check(1);
  std::vector<Event> alarms;
  for (Event& event : log_.all()) {
    if (event.kind == Event::Kind::kAlarm) alarms.push_back(std::move(event));
  }
  ASSERT_EQ(alarms.size(), 2u);
  EXPECT_EQ(alarms[0].ticket, 0u);
  EXPECT_TRUE(alarms[0].alarm->ringing);
  EXPECT_EQ(alarms[0].alarm->rate, 1);  // not before the window is full
  EXPECT_FALSE(alarms[1].alarm->ringing);
  EXPECT_EQ(alarms[1].alarm->rate, 0.1);
  EXPECT_EQ(engine_->stats().valves.alarm->rung, 1u);
}

TEST_F(ValveEventsTest, ARowThatFailsIsNotDecided) {
  small_.answer = [](int32_t) { return Answer{.logits = {std::numeric_limits<float>::quiet_NaN(), 0.0f}}; };
  ASSERT_FALSE(start(with_valves({.alarm = AlarmBand{.low = 0, .high = 0.1, .window = 10}, .cap = {}})));
  EXPECT_EQ(check(1).kind, Event::Kind::kError);
  EXPECT_EQ(engine_->stats().valves.decided, 0u);
}

// By hardness with a router, by entropy without: the row with the highest of it goes, whatever came before.
TEST_F(ValveEventsTest, ABudgetRanksByHardnessOrElseByEntropy) {
  for (const bool has_router : {true, false}) {
    small_.info.has_router = has_router;
    small_.answer = [&](int32_t tag) {
      const auto score = static_cast<float>(tag);
      return has_router ? Answer{.logits = {0.0f, 0.0f}, .hardness = score / 100}
                        : Answer{.logits = {0.0f, (100 - score) / 10}};
    };
    EngineOptions options = with_rule(Kind::kBudget, 0.3);
    options.escalation.window = 20;
    ready_ = {};
    ASSERT_FALSE(start(options));
    for (int32_t tag = 40; tag > 20; --tag) check(tag);
    EXPECT_EQ(check(10).escalation, Escalation::kNone);
    EXPECT_EQ(check(90).escalation, Escalation::kRule);
    EXPECT_TRUE(engine_->stats().valves.budget_threshold);
    engine_.reset();
    log_.clear();
  }
}

}  // namespace
}  // namespace saferoute::engine
