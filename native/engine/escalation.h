// The rules that decide which rows the large guard reads.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/device_cascade.h"
#include "engine/escalation_budget.h"

namespace saferoute::engine {

struct EscalationRule {
  enum class Kind {
    kRouter,   // hardness > threshold
    kEntropy,  // entropy of the small guard's calibrated score in bits > threshold
    kRandom,   // a seeded coin per request with probability threshold
    kBudget,   // among the hardest share `threshold` of the last `window` rows
    kAlways,
    kNever,
  };
  Kind kind = Kind::kNever;
  double threshold = 0.5;
  uint64_t seed = 0;       // kRandom
  int32_t window = 1000;   // rows; kBudget
  double logit_scale = 1;  // kEntropy: the calibrated score is sigmoid(scale * z + shift), z the logit of the small
  double logit_shift = 0;  // guard's score (temperature, contextual and batch calibration are of this form)
};

// What the rule knows of a row.
struct RuleInput {
  double logit = 0;                  // of the small guard's score
  std::optional<double> hardness{};  // empty where the small guard carries no router
  uint64_t sequence = 0;             // of the request in the order of submission, for its coins
};

// Entropy in bits of a two-way distribution: -p log2 p - (1 - p) log2(1 - p), 0 at p = 0 and p = 1 (SafeRoute §4.1).
double entropy_bits(double p);

// A rule and what it remembers. Guarded by the scheduler's mutex.
class Escalator {
 public:
  explicit Escalator(const EscalationRule& rule);

  // Whether the row is hard. A budget ranks it among the rows before it, by hardness, or by entropy without a router.
  bool picks(const RuleInput& row);

  // What `picks` will say of the row of this number, as far as it is known before anything has read the row. Empty
  // where the rule is neither the router's threshold nor decided beforehand.
  std::optional<RowRule> beforehand(uint64_t sequence) const;

  // Of a budget: the hardness or entropy above which it picks a row now; nothing before the first row.
  std::optional<double> budget_threshold() const;

 private:
  bool is_random_pick(uint64_t sequence) const;

  const EscalationRule rule_;
  std::optional<EscalationBudget> budget_;
};

}  // namespace saferoute::engine
