#include "engine/escalation.h"

#include <cmath>

#include "engine/coin.h"

namespace saferoute::engine {
namespace {

double sigmoid(double logit) { return 1 / (1 + std::exp(-logit)); }

}  // namespace

double entropy_bits(double p) {
  const auto term = [](double q) { return q > 0 ? -q * std::log2(q) : 0.0; };
  return term(p) + term(1 - p);
}

Escalator::Escalator(const EscalationRule& rule) : rule_(rule) {
  if (rule.kind == EscalationRule::Kind::kBudget) budget_.emplace(rule.threshold, rule.window);
}

bool Escalator::picks(const RuleInput& row) {
  switch (rule_.kind) {
    case EscalationRule::Kind::kRouter:
      return row.hardness.value_or(0) > rule_.threshold;
    case EscalationRule::Kind::kEntropy:
      return entropy_bits(sigmoid(rule_.logit_scale * row.logit + rule_.logit_shift)) > rule_.threshold;
    case EscalationRule::Kind::kRandom:
      return is_random_pick(row.sequence);
    case EscalationRule::Kind::kBudget:
      return budget_->picks(row.hardness ? *row.hardness : entropy_bits(sigmoid(row.logit)),
                            throw_coin(CoinPurpose::kTie, rule_.seed, row.sequence));
    case EscalationRule::Kind::kAlways:
      return true;
    case EscalationRule::Kind::kNever:
      return false;
  }
  return false;
}

std::optional<RowRule> Escalator::beforehand(uint64_t sequence) const {
  switch (rule_.kind) {
    case EscalationRule::Kind::kRouter:
      return RowRule::kByHardness;
    case EscalationRule::Kind::kRandom:
      return is_random_pick(sequence) ? RowRule::kForced : RowRule::kForbidden;
    case EscalationRule::Kind::kAlways:
      return RowRule::kForced;
    case EscalationRule::Kind::kNever:
      return RowRule::kForbidden;
    case EscalationRule::Kind::kEntropy:
    case EscalationRule::Kind::kBudget:
      return std::nullopt;
  }
  return std::nullopt;
}

bool Escalator::is_random_pick(uint64_t sequence) const {
  return throw_coin(CoinPurpose::kRandomRule, rule_.seed, sequence) < rule_.threshold;
}

std::optional<double> Escalator::budget_threshold() const { return budget_ ? budget_->threshold() : std::nullopt; }

}  // namespace saferoute::engine
