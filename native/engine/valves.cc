#include "engine/valves.h"

#include <utility>

#include "engine/coin.h"

namespace saferoute::engine {

bool may_escalate(const EscalationRule& rule, const ValveOptions& valves) {
  return !valves.shadow && (rule.kind != EscalationRule::Kind::kNever || valves.audit_rate > 0);
}

Valves::Valves(const EscalationRule& rule, const ValveOptions& options, double unsafe_at)
    : options_(options), unsafe_at_(unsafe_at), escalator_(rule) {
  if (options.alarm) alarm_.emplace(*options.alarm);
  if (options.cap) bucket_.emplace(options.cap->per_second);
}

Escalation Valves::decide(const RuleInput& row, Clock::time_point now) {
  totals_.decided += 1;
  const bool is_hard = escalator_.picks(row);
  if (alarm_) alarm_changed_ = alarm_->record(is_hard, now);
  return is_hard ? decide_hard(now) : decide_easy(row, now);
}

std::optional<RowRule> Valves::beforehand(uint64_t sequence) const {
  if (options_.shadow || options_.cap) return std::nullopt;
  const std::optional<RowRule> rule = escalator_.beforehand(sequence);
  return rule && is_audited(sequence) ? RowRule::kForced : rule;
}

bool Valves::is_audited(uint64_t sequence) const {
  return throw_coin(CoinPurpose::kAudit, options_.audit_seed, sequence) < options_.audit_rate;
}

Escalation Valves::decide_hard(Clock::time_point now) {
  if (options_.shadow) {
    totals_.shadow += 1;
    return Escalation::kShadow;
  }
  if (!has_room(now)) {
    totals_.capped += 1;
    return Escalation::kCapped;
  }
  totals_.rule += 1;
  return Escalation::kRule;
}

Escalation Valves::decide_easy(const RuleInput& row, Clock::time_point now) {
  if (options_.shadow || !is_audited(row.sequence)) return Escalation::kNone;
  if (!has_room(now)) {
    totals_.audits_skipped += 1;
    return Escalation::kNone;
  }
  totals_.audit += 1;
  return Escalation::kAudit;
}

std::optional<AlarmState> Valves::take_alarm(Clock::time_point now) {
  if (!std::exchange(alarm_changed_, false)) return std::nullopt;
  return alarm_->state(now);
}

void Valves::compare(const Reading& small, const Reading& large) {
  const bool small_unsafe = small.score > unsafe_at_;
  const bool large_unsafe = large.score > unsafe_at_;
  if (small_unsafe == large_unsafe) {
    totals_.audits_agreed += 1;
  } else {
    (large_unsafe ? totals_.audits_only_large_unsafe : totals_.audits_only_small_unsafe) += 1;
  }
}

ValveStats Valves::stats(Clock::time_point now) const {
  ValveStats stats = totals_;
  stats.budget_threshold = escalator_.budget_threshold();
  if (alarm_) stats.alarm = alarm_->state(now);
  return stats;
}

}  // namespace saferoute::engine
