// What the engine refuses, and that the message names the value and the limit.
#include "engine/admission.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace saferoute::engine {
namespace {

using Kind = EscalationRule::Kind;

GuardInfo guard(int32_t max_positions = 8) {
  GuardInfo info;
  info.hidden_size = 2;
  info.vocab_size = 100;
  info.max_positions = max_positions;
  info.verdict_unsafe = {0, 1};
  info.has_router = true;
  info.kv_pages = 1;
  return info;
}

Request request(Target target, std::vector<int32_t> small_ids, std::vector<int32_t> large_ids = {}) {
  return {.target = target, .small_ids = std::move(small_ids), .large_ids = std::move(large_ids)};
}

EscalationRule rule(Kind kind, double threshold = 0.5) { return {.kind = kind, .threshold = threshold, .seed = 0}; }

template <typename Call>
void expect_refused(ErrorCode code, const std::string& message, Call call) {
  try {
    call();
    ADD_FAILURE() << "not refused: " << message;
  } catch (const Error& error) {
    EXPECT_EQ(code_name(error.code()), code_name(code));
    EXPECT_EQ(error.what(), message);
  }
}

void expect_refused(const Request& bad, ErrorCode code, const std::string& message) {
  const GuardInfo small = guard(), large = guard(4);
  expect_refused(code, message, [&] { check_request(bad, true, small, &large); });
}

TEST(CheckRequest, TakesPromptsUpToTheContext) {
  const GuardInfo small = guard(8), large = guard(4);
  const std::vector<int32_t> eight(8, 99), four(4, 0);
  EXPECT_NO_THROW(check_request(request(Target::kSmall, eight), true, small, &large));
  EXPECT_NO_THROW(check_request(request(Target::kLarge, {}, four), true, small, &large));
  EXPECT_NO_THROW(check_request(request(Target::kCascade, eight, four), true, small, &large));
}

TEST(CheckRequest, HoldsEachGuardsPromptAgainstItsContext) {
  const std::vector<int32_t> nine(9, 1), five(5, 1);
  const std::string small_message = "the small guard's prompt has 9 tokens, its context holds 8";
  const std::string large_message = "the large guard's prompt has 5 tokens, its context holds 4";
  expect_refused(request(Target::kSmall, nine), ErrorCode::kContextLength, small_message);
  expect_refused(request(Target::kLarge, {}, five), ErrorCode::kContextLength, large_message);
  expect_refused(request(Target::kCascade, {1}, five), ErrorCode::kContextLength, large_message);
}

TEST(CheckRequest, HoldsASharedPromptAgainstBothContexts) {
  expect_refused(request(Target::kCascade, {1, 2, 3, 4, 5}), ErrorCode::kContextLength,
                 "the large guard's prompt has 5 tokens, its context holds 4");
}

TEST(CheckRequest, AsksNothingOfAGuardThatWillNotRead) {
  const GuardInfo small = guard(8), large = guard(4);
  const Request five = request(Target::kCascade, {1, 2, 3, 4, 5});
  EXPECT_NO_THROW(check_request(five, false, small, &large));
  EXPECT_NO_THROW(check_request(five, false, small, nullptr));
}

TEST(CheckRequest, RefusesEmptyPrompts) {
  const std::string message = "guard's prompt is empty: at least one token is needed";
  expect_refused(request(Target::kSmall, {}), ErrorCode::kInvalidArgument, "the small " + message);
  expect_refused(request(Target::kCascade, {}, {1}), ErrorCode::kInvalidArgument, "the small " + message);
  expect_refused(request(Target::kLarge, {1}), ErrorCode::kInvalidArgument, "the large " + message);
}

TEST(CheckRequest, RefusesIdsOutsideTheVocabulary) {
  expect_refused(request(Target::kSmall, {3, -1}), ErrorCode::kInvalidArgument,
                 "token 1 of the small guard's prompt is -1, the vocabulary has ids 0 to 99");
  expect_refused(request(Target::kCascade, {1}, {100}), ErrorCode::kInvalidArgument,
                 "token 0 of the large guard's prompt is 100, the vocabulary has ids 0 to 99");
}

TEST(CheckRequest, RefusesALargeGuardThatIsNotThere) {
  const GuardInfo small = guard();
  expect_refused(ErrorCode::kInvalidArgument, "there is no large guard to ask",
                 [&] { check_request(request(Target::kLarge, {}, {1}), false, small, nullptr); });
}

TEST(CheckOptions, RefusesLimitsBelowOne) {
  for (int32_t EngineOptions::* limit :
       {&EngineOptions::queue_requests, &EngineOptions::batch_tokens, &EngineOptions::batch_rows}) {
    EngineOptions options;
    options.*limit = 0;
    EXPECT_THROW(check_options(options, true), Error);
  }
}

TEST(CheckOptions, RefusesTimesThatAreNone) {
  for (double EngineOptions::* time : {&EngineOptions::batch_ms, &EngineOptions::max_wait_ms}) {
    for (const double bad : {-1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
      EngineOptions options;
      options.*time = bad;
      EXPECT_THROW(check_options(options, false), Error);
    }
  }
  EngineOptions options;
  options.max_wait_ms = -1;
  expect_refused(ErrorCode::kInvalidArgument,
                 "max_wait_ms must be a finite number of milliseconds, 0 at least, got -1.000000",
                 [&] { check_options(options, false); });
}

TEST(CheckOptions, RefusesEscalationWithoutALargeGuard) {
  for (const Kind kind : {Kind::kRouter, Kind::kEntropy, Kind::kRandom, Kind::kAlways}) {
    EngineOptions options;
    options.escalation = rule(kind);
    EXPECT_NO_THROW(check_options(options, true));
    expect_refused(ErrorCode::kInvalidArgument, "without a large guard the escalation rule must be 'never'",
                   [&] { check_options(options, false); });
  }
  EXPECT_NO_THROW(check_options(EngineOptions{}, false));
}

TEST(CheckOptions, RefusesThresholdsThatMeanNothing) {
  EngineOptions options;
  options.escalation = rule(Kind::kRouter, std::numeric_limits<double>::quiet_NaN());
  expect_refused(ErrorCode::kInvalidArgument, "the escalation threshold is not finite",
                 [&] { check_options(options, true); });
  for (const double share : {-0.1, 1.1}) {
    options.escalation = rule(Kind::kRandom, share);
    EXPECT_THROW(check_options(options, true), Error);
  }
}

TEST(CheckOptions, RefusesRulesAndCalibrationsThatMeanNothing) {
  const double infinite = std::numeric_limits<double>::infinity();
  for (const EscalationRule& bad :
       {EscalationRule{.kind = Kind::kBudget, .threshold = 1.1}, EscalationRule{.kind = Kind::kBudget, .window = 0},
        EscalationRule{.kind = Kind::kEntropy, .logit_scale = infinite},
        EscalationRule{.kind = Kind::kEntropy, .logit_shift = -infinite}}) {
    EngineOptions options;
    options.escalation = bad;
    EXPECT_THROW(check_options(options, true), Error);
  }
  EngineOptions options;
  options.unsafe_at = std::numeric_limits<double>::quiet_NaN();
  expect_refused(ErrorCode::kInvalidArgument, "unsafe_at must lie between 0 and 1, got nan",
                 [&] { check_options(options, true); });
}

TEST(CheckOptions, RefusesValvesThatMeanNothing) {
  const auto refused = [](const ValveOptions& valves, const std::string& message, bool has_large = true) {
    EngineOptions options;
    options.valves = valves;
    expect_refused(ErrorCode::kInvalidArgument, message, [&] { check_options(options, has_large); });
  };
  const auto alarm = [](double low, double high, int32_t window = 1000) {
    return ValveOptions{.alarm = AlarmBand{.low = low, .high = high, .window = window}, .cap = {}};
  };
  refused({.audit_rate = 1.5, .alarm = {}, .cap = {}}, "audit_rate must lie between 0 and 1, got 1.500000");
  refused({.audit_rate = 0.5, .alarm = {}, .cap = {}}, "without a large guard nothing can be audited", false);
  refused({.alarm = {}, .cap = EscalationCap{.per_second = 0}},
          "the cap must be a finite number of escalations per second above 0, got 0.000000");
  refused(alarm(0.5, 0.2), "the alarm's band runs from 0.500000 down to 0.200000");
  refused(alarm(-0.5, 0.2), "the low end of the alarm's band must lie between 0 and 1, got -0.500000");
  refused(alarm(0, 0.2, 0), "the window of the alarm must be at least 1, got 0");
  refused(alarm(0, 0.5, 10), "no rate of 10 rows could leave the alarm's band by more than chance");
}

TEST(CheckGuard, NeedsAVerdictTokenOfEachKind) {
  GuardInfo info = guard();
  EXPECT_NO_THROW(check_guard(info, "small guard"));
  info.verdict_unsafe = {1, 1};
  expect_refused(ErrorCode::kInvalidArgument,
                 "the small guard needs a safe and an unsafe verdict token, got 0 safe and 2 unsafe",
                 [&] { check_guard(info, "small guard"); });
  info.verdict_unsafe = {0};
  EXPECT_THROW(check_guard(info, "small guard"), Error);
  info.verdict_unsafe = {};
  EXPECT_THROW(check_guard(info, "small guard"), Error);
}

TEST(CheckGuard, NeedsAPage) {
  GuardInfo info = guard();
  info.kv_pages = 0;
  expect_refused(ErrorCode::kInvalidArgument, "kv_pages must be at least 1, got 0",
                 [&] { check_guard(info, "small guard"); });
}

TEST(CheckRule, NeedsARouterToAsk) {
  GuardInfo info = guard();
  EXPECT_NO_THROW(check_rule(rule(Kind::kRouter), info));
  info.has_router = false;
  EXPECT_NO_THROW(check_rule(rule(Kind::kEntropy), info));
  expect_refused(ErrorCode::kInvalidArgument, "escalation by router needs a router, and the small guard carries none",
                 [&] { check_rule(rule(Kind::kRouter), info); });
}

TEST(CheckFeature, NeedsTheGuardsWidthAndFiniteValues) {
  GuardInfo info = guard();
  EXPECT_NO_THROW(check_feature(std::vector{1.0f, 2.0f}, info));
  expect_refused(ErrorCode::kInvalidArgument, "the feature has 3 values, the small guard's are 2 wide",
                 [&] { check_feature(std::vector{1.0f, 2.0f, 3.0f}, info); });
  expect_refused(ErrorCode::kInvalidArgument, "the feature is not finite at index 1",
                 [&] { check_feature(std::vector{1.0f, std::numeric_limits<float>::infinity()}, info); });
  info.has_router = false;
  expect_refused(ErrorCode::kUnsupported, "the small guard carries no router",
                 [&] { check_feature(std::vector{1.0f, 2.0f}, info); });
}

}  // namespace
}  // namespace saferoute::engine
