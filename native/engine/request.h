// What callers hand to the engine and what they get back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/error.h"
#include "engine/rate_alarm.h"

namespace saferoute::engine {

using Ticket = uint64_t;

enum class Target {
  kCascade,  // small guard, then the large one where the escalation rule says so
  kSmall,    // the small guard alone
  kLarge,    // the large guard alone
};

// Who goes first where requests wait.
enum class Priority {
  kInteractive,  // somebody waits for the answer
  kBulk,         // takes what interactive requests leave, and counts as one of them after EngineOptions::max_wait_ms,
                 // or half way to its deadline
};

struct Request {
  Target target = Target::kCascade;
  std::vector<int32_t> small_ids;  // empty for kLarge
  std::vector<int32_t> large_ids;  // empty for kSmall; for kCascade empty means: the same as small_ids
  bool want_feature = false;
  Priority priority = Priority::kInteractive;
  std::optional<double> deadline_ms{};  // from submit; where it passes before the last guard has begun, the request
                                        // fails with kDeadline
};

// One guard's reading of one prompt.
struct Reading {
  double safe = 0;             // log-sum-exp of the logits of the safe tokens
  double unsafe = 0;           // log-sum-exp of the logits of the unsafe tokens
  double score = 0;            // P(unsafe): softmax over the two
  std::vector<float> feature;  // (hidden_size) or empty
};

// Milliseconds on the monotonic clock. A pass that runs both guards counts in full as the small one's for a row that
// the large one did not read, whose verdict comes no sooner; for the others it is divided between the two, by an
// estimate.
struct Timing {
  double queue_ms = 0;  // waiting, in both queues together and between the passes of a long prompt
  double small_ms = 0;  // the forward passes that held the row
  double large_ms = 0;
  double total_ms = 0;  // from submit to settlement
};

// Whether the large guard is to read a row of the cascade after the small one, and why or why not.
enum class Escalation {
  kNone,    // the rule found it easy
  kRule,    // hard: it goes on
  kAudit,   // easy, but the audit's coin picked it: it goes on
  kCapped,  // hard, but over the cap
  kShadow,  // hard, but in shadow mode nothing goes on
};

inline bool goes_on(Escalation escalation) {
  return escalation == Escalation::kRule || escalation == Escalation::kAudit;
}

// A step in a request's life, or word of the alarm. A ticket gets at most one kStage and exactly one of kDone and
// kError, unless it was cancelled.
struct Event {
  enum class Kind {
    kStage,  // the small guard has read a row that goes on to the large one
    kDone,
    kRouted,  // answer to Engine::route
    kError,
    kAlarm,  // of no ticket: the alarm has begun to ring, or has ended
  };
  Kind kind = Kind::kDone;
  Ticket ticket = 0;
  std::optional<Reading> small;
  std::optional<Reading> large;
  std::optional<double> hardness;  // empty where the small guard carries no router or was not asked
  Escalation escalation = Escalation::kNone;
  Timing timing;
  int32_t prompt_tokens = 0;    // of the first guard's prompt
  int32_t cached_tokens = 0;    // whose keys and values stood in the prefix cache, by all guards together
  int32_t computed_tokens = 0;  // by all guards together
  ErrorCode error_code = ErrorCode::kBackend;
  std::string error_message;
  std::optional<AlarmState> alarm;  // of kAlarm
};

}  // namespace saferoute::engine
