// What stands between the rule's word on a row and the large guard's queue, and what came of it.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/clock.h"
#include "engine/device_cascade.h"
#include "engine/escalation.h"
#include "engine/rate_alarm.h"
#include "engine/request.h"
#include "engine/token_bucket.h"

namespace saferoute::engine {

struct EscalationCap {
  double per_second = 1;  // rows
  bool refuses = false;   // a hard row over the cap fails with kOverloaded; else the small guard's word stands
};

struct ValveOptions {
  double audit_rate = 0;  // share of the easy rows that the large guard reads all the same
  uint64_t audit_seed = 0;
  std::optional<AlarmBand> alarm;
  std::optional<EscalationCap> cap;
  bool shadow = false;  // the rule decides, but the large guard is asked nothing
};

// Of the rows that the rule has decided since load: every one is in one of the first five, or was easy and no audit.
struct ValveStats {
  uint64_t decided = 0;
  uint64_t rule = 0;
  uint64_t audit = 0;
  uint64_t capped = 0;
  uint64_t shadow = 0;
  uint64_t audits_skipped = 0;  // because of the cap
  uint64_t audits_agreed = 0;   // by label, of the audits that the large guard has read
  uint64_t audits_only_large_unsafe = 0;
  uint64_t audits_only_small_unsafe = 0;
  std::optional<double> budget_threshold;
  std::optional<AlarmState> alarm;
};

// Whether any row may come to the large guard after the small one.
bool may_escalate(const EscalationRule& rule, const ValveOptions& valves);

// Guarded by the scheduler's mutex; every time comes from the caller.
class Valves {
 public:
  // A score above `unsafe_at` is unsafe.
  Valves(const EscalationRule& rule, const ValveOptions& options, double unsafe_at);

  // Decides about a row, in this order:
  //  1. The rule says whether the row is hard, and the alarm takes that in, whatever becomes of the row.
  //  2. In shadow mode the row ends here: kShadow where it is hard, kNone where not.
  //  3. A hard row needs a token of the cap: kRule with one, kCapped without.
  //  4. Of the easy rows the audit's coin picks some, and these need a token too: kAudit with one, kNone without. So
  //  the
  //     cap bounds what the large guard is given, and hard rows and audits get their tokens as they come.
  Escalation decide(const RuleInput& row, Clock::time_point now);

  // What decide() will say of the row of this number, as far as it is known before anything has read the row: what a
  // device may be told beforehand. Empty where a row's fate hangs on other rows or on the clock, or where the device
  // does not know the rule: under a cap, a budget or entropy, and in shadow mode.
  std::optional<RowRule> beforehand(uint64_t sequence) const;

  // The alarm, where the last decision made it begin or end.
  std::optional<AlarmState> take_alarm(Clock::time_point now);

  // Takes in what both guards made of an audited row.
  void compare(const Reading& small, const Reading& large);

  ValveStats stats(Clock::time_point now) const;

 private:
  bool has_room(Clock::time_point now) { return !bucket_ || bucket_->take(now); }
  bool is_audited(uint64_t sequence) const;
  Escalation decide_hard(Clock::time_point now);
  Escalation decide_easy(const RuleInput& row, Clock::time_point now);

  const ValveOptions options_;
  const double unsafe_at_;
  Escalator escalator_;
  std::optional<RateAlarm> alarm_;
  bool alarm_changed_ = false;
  std::optional<TokenBucket> bucket_;
  ValveStats totals_;
};

}  // namespace saferoute::engine
