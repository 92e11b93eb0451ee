// Each valve by itself, their order, and the token bucket, on a clock of the test's own.
#include "engine/valves.h"

#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "engine/coin.h"

namespace saferoute::engine {
namespace {

using Kind = EscalationRule::Kind;

const EscalationRule kByRouter{.kind = Kind::kRouter, .threshold = 0.5};

class ValvesTest : public testing::Test {
 protected:
  void open(const ValveOptions& options, const EscalationRule& rule = kByRouter) {
    valves_.emplace(rule, options, 0.5);
  }

  Escalation decide(double hardness, double ms = 0) {
    return valves_->decide({.logit = 0, .hardness = hardness, .sequence = sequence_++}, at(ms));
  }
  Escalation hard(double ms = 0) { return decide(0.9, ms); }
  Escalation easy(double ms = 0) { return decide(0.1, ms); }
  ValveStats stats() const { return valves_->stats(at(0)); }

  static Clock::time_point at(double ms) { return later(Clock::time_point() + std::chrono::hours(1), ms); }

  std::optional<Valves> valves_;
  uint64_t sequence_ = 0;
};

TEST_F(ValvesTest, WithoutValvesTheRuleHasItsWay) {
  open({});
  EXPECT_EQ(hard(), Escalation::kRule);
  EXPECT_EQ(easy(), Escalation::kNone);
  EXPECT_EQ(stats().decided, 2u);
  EXPECT_EQ(stats().rule, 1u);
  EXPECT_FALSE(stats().alarm);
}

TEST_F(ValvesTest, ShadowModeDecidesAndDoesNothing) {
  open({.audit_rate = 1, .alarm = {}, .cap = EscalationCap{.per_second = 1}, .shadow = true});
  for (int row = 0; row < 5; ++row) EXPECT_EQ(hard(), Escalation::kShadow);
  EXPECT_EQ(easy(), Escalation::kNone);
  EXPECT_EQ(stats().shadow, 5u);
  EXPECT_EQ(stats().capped + stats().audit + stats().audits_skipped, 0u);
  EXPECT_FALSE(may_escalate(kByRouter, {.audit_rate = 1, .alarm = {}, .cap = {}, .shadow = true}));
}

TEST_F(ValvesTest, TheCapLetsASecondsWorthThroughAndThenItsRate) {
  open({.alarm = {}, .cap = EscalationCap{.per_second = 2}});
  EXPECT_EQ(hard(0), Escalation::kRule);
  EXPECT_EQ(hard(0), Escalation::kRule);
  EXPECT_EQ(hard(0), Escalation::kCapped);
  EXPECT_EQ(hard(499), Escalation::kCapped);
  EXPECT_EQ(hard(500), Escalation::kRule);
  EXPECT_EQ(hard(501), Escalation::kCapped);
  EXPECT_EQ(hard(1e7), Escalation::kRule);
  EXPECT_EQ(hard(1e7), Escalation::kRule);
  EXPECT_EQ(hard(1e7), Escalation::kCapped);
  EXPECT_EQ(stats().capped, 4u);
  EXPECT_EQ(stats().rule, 5u);
}

TEST_F(ValvesTest, AnAuditNeedsATokenTooAndIsLeftOutWithoutOne) {
  open({.audit_rate = 1, .alarm = {}, .cap = EscalationCap{.per_second = 1, .refuses = true}});
  EXPECT_EQ(easy(0), Escalation::kAudit);
  EXPECT_EQ(easy(0), Escalation::kNone);
  EXPECT_EQ(hard(0), Escalation::kCapped);
  EXPECT_EQ(easy(1000), Escalation::kAudit);
  EXPECT_EQ(stats().audit, 2u);
  EXPECT_EQ(stats().audits_skipped, 1u);
}

TEST_F(ValvesTest, AuditsAreTheirShareOfTheEasyRowsAndRepeatForASeed) {
  std::vector<std::set<uint64_t>> audited;
  for (const uint64_t seed : {1u, 1u, 2u}) {
    open({.audit_rate = 0.1, .audit_seed = seed, .alarm = {}, .cap = {}});
    std::set<uint64_t>& picked = audited.emplace_back();
    for (sequence_ = 0; sequence_ < 20000;) {
      if (easy() == Escalation::kAudit) picked.insert(sequence_ - 1);
    }
    EXPECT_NEAR(static_cast<double>(picked.size()), 2000, 4 * 43);
  }
  EXPECT_EQ(audited[0], audited[1]);
  EXPECT_NE(audited[0], audited[2]);
}

// One and the same number for both would never audit what the rule's coin has spared.
TEST_F(ValvesTest, AuditsOfARandomRuleFindTheRowsThatItSpares) {
  open({.audit_rate = 0.1, .audit_seed = 5, .alarm = {}, .cap = {}},
       {.kind = Kind::kRandom, .threshold = 0.2, .seed = 5});
  for (int row = 0; row < 10000; ++row) easy();
  EXPECT_NEAR(static_cast<double>(stats().audit), 800, 4 * 27);
}

TEST_F(ValvesTest, NothingButTheAuditMakesNeverAskTheLargeGuard) {
  const EscalationRule never{.kind = Kind::kNever};
  open({.audit_rate = 1, .alarm = {}, .cap = {}}, never);
  EXPECT_EQ(hard(), Escalation::kAudit);
  EXPECT_TRUE(may_escalate(never, {.audit_rate = 0.1, .alarm = {}, .cap = {}}));
  EXPECT_FALSE(may_escalate(never, {}));
  EXPECT_TRUE(may_escalate(kByRouter, {}));
}

TEST_F(ValvesTest, AuditsAreComparedByLabel) {
  open({.audit_rate = 1, .alarm = {}, .cap = {}});
  const auto reading = [](double score) { return Reading{.safe = 0, .unsafe = 0, .score = score, .feature = {}}; };
  valves_->compare(reading(0.2), reading(0.5));
  valves_->compare(reading(0.9), reading(0.6));
  valves_->compare(reading(0.2), reading(0.51));
  valves_->compare(reading(0.7), reading(0.3));
  valves_->compare(reading(0.5), reading(0.9));
  EXPECT_EQ(stats().audits_agreed, 2u);
  EXPECT_EQ(stats().audits_only_large_unsafe, 2u);
  EXPECT_EQ(stats().audits_only_small_unsafe, 1u);
}

// What the rule says is what drifts, whatever becomes of the rows.
TEST_F(ValvesTest, TheAlarmHearsTheRuleBehindShadowAndCap) {
  const AlarmBand band{.low = 0, .high = 0.1, .window = 10};
  for (const ValveOptions& options :
       {ValveOptions{.alarm = band, .cap = {}, .shadow = true},
        ValveOptions{.alarm = band, .cap = EscalationCap{.per_second = 1}, .shadow = false}}) {
    open(options);
    int heard = 0;
    for (int row = 0; row < 10; ++row) {
      hard();
      heard += valves_->take_alarm(at(0)) ? 1 : 0;
    }
    EXPECT_EQ(heard, 1);
    EXPECT_TRUE(stats().alarm->ringing);
    EXPECT_FALSE(valves_->take_alarm(at(0)));
  }
}

TEST_F(ValvesTest, AuditsDoNotCountForTheAlarm) {
  open({.audit_rate = 1, .alarm = AlarmBand{.low = 0, .high = 0.1, .window = 10}, .cap = {}});
  for (int row = 0; row < 100; ++row) easy();
  EXPECT_EQ(stats().alarm->rate, 0);
}

TEST_F(ValvesTest, ABudgetSaysWhereItCuts) {
  open({}, {.kind = Kind::kBudget, .threshold = 0.5, .window = 10});
  EXPECT_FALSE(stats().budget_threshold);
  for (int row = 1; row <= 9; ++row) decide(row / 10.0);
  EXPECT_EQ(stats().budget_threshold, 0.5);
}

TEST(TokenBucket, HoldsOneAtLeastAndNoMoreThanASecondsWorth) {
  const auto at = [](double ms) { return later(Clock::time_point() + std::chrono::hours(1), ms); };
  TokenBucket slow(0.5);
  EXPECT_TRUE(slow.take(at(0)));
  EXPECT_FALSE(slow.take(at(1999)));
  EXPECT_TRUE(slow.take(at(2000)));
  TokenBucket fast(100);
  int taken = 0;
  for (int row = 0; row < 1000; ++row) taken += fast.take(at(row)) ? 1 : 0;
  EXPECT_NEAR(taken, 200, 1);
}

TEST_F(ValvesTest, AnAuditIsKnownBeforehand) {
  open({.audit_rate = 0.5, .audit_seed = 3, .alarm = {}, .cap = {}});
  int audits = 0;
  for (uint64_t sequence = 0; sequence < 64; ++sequence) {
    const std::optional<RowRule> rule = valves_->beforehand(sequence);
    const bool is_audit = easy() == Escalation::kAudit;
    EXPECT_EQ(rule, is_audit ? RowRule::kForced : RowRule::kByHardness);
    audits += is_audit;
  }
  EXPECT_GT(audits, 0);
  EXPECT_LT(audits, 64);
  open({.audit_rate = 1, .alarm = {}, .cap = {}}, {.kind = Kind::kNever});
  EXPECT_EQ(valves_->beforehand(0), RowRule::kForced);
  open({}, {.kind = Kind::kNever});
  EXPECT_EQ(valves_->beforehand(0), RowRule::kForbidden);
}

TEST_F(ValvesTest, WhatHangsOnTheClockOrOnOtherRowsIsNotKnownBeforehand) {
  open({.alarm = {}, .cap = EscalationCap{.per_second = 1000}});
  EXPECT_EQ(valves_->beforehand(0), std::nullopt);
  open({.alarm = {}, .cap = {}, .shadow = true});
  EXPECT_EQ(valves_->beforehand(0), std::nullopt);
  open({.audit_rate = 1, .alarm = {}, .cap = {}}, {.kind = Kind::kBudget});
  EXPECT_EQ(valves_->beforehand(0), std::nullopt);
}

}  // namespace
}  // namespace saferoute::engine
