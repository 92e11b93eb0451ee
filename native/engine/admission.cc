#include "engine/admission.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace saferoute::engine {
namespace {

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::kInvalidArgument, message); }

void check_positive(const char* name, int64_t value) {
  if (value < 1) refuse(std::string(name) + " must be at least 1, got " + std::to_string(value));
}

void check_milliseconds(const char* name, double value) {
  if (std::isfinite(value) && value >= 0) return;
  refuse(std::string(name) + " must be a finite number of milliseconds, 0 at least, got " + std::to_string(value));
}

void check_share(const char* name, double value) {
  if (value >= 0 && value <= 1) return;
  refuse(std::string(name) + " must lie between 0 and 1, got " + std::to_string(value));
}

void check_rule_numbers(const EscalationRule& rule) {
  if (!std::isfinite(rule.threshold)) refuse("the escalation threshold is not finite");
  if (!std::isfinite(rule.logit_scale) || !std::isfinite(rule.logit_shift)) {
    refuse("the calibration of the entropy is not finite");
  }
  if (rule.kind == EscalationRule::Kind::kRandom) check_share("the share of random escalation", rule.threshold);
  if (rule.kind != EscalationRule::Kind::kBudget) return;
  check_share("the share of the escalation budget", rule.threshold);
  check_positive("the window of the escalation budget", rule.window);
}

void check_valves(const ValveOptions& valves) {
  check_share("audit_rate", valves.audit_rate);
  if (valves.cap && !(std::isfinite(valves.cap->per_second) && valves.cap->per_second > 0)) {
    refuse("the cap must be a finite number of escalations per second above 0, got " +
           std::to_string(valves.cap->per_second));
  }
  if (!valves.alarm) return;
  const auto& [low, high, window] = *valves.alarm;
  check_share("the low end of the alarm's band", low);
  check_share("the high end of the alarm's band", high);
  if (low > high) refuse("the alarm's band runs from " + std::to_string(low) + " down to " + std::to_string(high));
  check_positive("the window of the alarm", window);
  if (!RateAlarm(*valves.alarm).can_ring()) {
    refuse("no rate of " + std::to_string(window) + " rows could leave the alarm's band by more than chance");
  }
}

void check_ids(std::span<const int32_t> ids, const GuardInfo& info, std::string_view guard) {
  const std::string name(guard);
  if (ids.empty()) refuse("the " + name + "'s prompt is empty: at least one token is needed");
  if (ids.size() > static_cast<size_t>(info.max_positions)) {
    throw Error(ErrorCode::kContextLength, "the " + name + "'s prompt has " + std::to_string(ids.size()) +
                                               " tokens, its context holds " + std::to_string(info.max_positions));
  }
  const auto outside = [&](int32_t id) { return id < 0 || id >= info.vocab_size; };
  if (const auto bad = std::find_if(ids.begin(), ids.end(), outside); bad != ids.end()) {
    refuse("token " + std::to_string(bad - ids.begin()) + " of the " + name + "'s prompt is " + std::to_string(*bad) +
           ", the vocabulary has ids 0 to " + std::to_string(info.vocab_size - 1));
  }
}

}  // namespace

void check_options(const EngineOptions& options, bool has_large) {
  check_positive("queue_requests", options.queue_requests);
  check_positive("batch_tokens", options.batch_tokens);
  check_positive("batch_rows", options.batch_rows);
  check_milliseconds("batch_ms", options.batch_ms);
  check_milliseconds("max_wait_ms", options.max_wait_ms);
  check_share("unsafe_at", options.unsafe_at);
  if (!has_large && options.escalation.kind != EscalationRule::Kind::kNever) {
    refuse("without a large guard the escalation rule must be 'never'");
  }
  if (!has_large && options.valves.audit_rate > 0) refuse("without a large guard nothing can be audited");
  check_rule_numbers(options.escalation);
  check_valves(options.valves);
}

void check_guard(const GuardInfo& info, std::string_view guard) {
  check_positive("hidden_size", info.hidden_size);
  check_positive("vocab_size", info.vocab_size);
  check_positive("max_positions", info.max_positions);
  check_positive("kv_pages", info.kv_pages);
  const auto unsafe =
      std::count_if(info.verdict_unsafe.begin(), info.verdict_unsafe.end(), [](uint8_t v) { return v; });
  const auto safe = static_cast<std::ptrdiff_t>(info.verdict_unsafe.size()) - unsafe;
  if (safe < 1 || unsafe < 1) {
    refuse("the " + std::string(guard) + " needs a safe and an unsafe verdict token, got " + std::to_string(safe) +
           " safe and " + std::to_string(unsafe) + " unsafe");
  }
}

void check_rule(const EscalationRule& rule, const GuardInfo& small) {
  if (rule.kind == EscalationRule::Kind::kRouter && !small.has_router) {
    refuse("escalation by router needs a router, and the small guard carries none");
  }
}

void check_request(const Request& request, bool may_escalate, const GuardInfo& small, const GuardInfo* large) {
  if (request.deadline_ms) check_milliseconds("deadline_ms", *request.deadline_ms);
  if (request.target == Target::kLarge && !large) refuse("there is no large guard to ask");
  if (request.target != Target::kLarge) check_ids(request.small_ids, small, "small guard");
  if (request.target == Target::kLarge) check_ids(request.large_ids, *large, "large guard");
  if (request.target != Target::kCascade || !may_escalate) return;
  check_ids(request.large_ids.empty() ? request.small_ids : request.large_ids, *large, "large guard");
}

void check_feature(std::span<const float> feature, const GuardInfo& small) {
  if (!small.has_router) throw Error(ErrorCode::kUnsupported, "the small guard carries no router");
  if (feature.size() != static_cast<size_t>(small.hidden_size)) {
    refuse("the feature has " + std::to_string(feature.size()) + " values, the small guard's are " +
           std::to_string(small.hidden_size) + " wide");
  }
  const auto bad = std::find_if(feature.begin(), feature.end(), [](float value) { return !std::isfinite(value); });
  if (bad != feature.end()) refuse("the feature is not finite at index " + std::to_string(bad - feature.begin()));
}

}  // namespace saferoute::engine
