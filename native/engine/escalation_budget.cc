#include "engine/escalation_budget.h"

#include <algorithm>
#include <cmath>

namespace saferoute::engine {
namespace {

constexpr double kDeviations = 3;

int32_t most_picks(double share, int32_t window) {
  const double chance = kDeviations * std::sqrt(share * (1 - share) * window);
  return static_cast<int32_t>(std::min<double>(window, std::ceil(share * window + chance)));
}

}  // namespace

EscalationBudget::EscalationBudget(double share, int32_t window)
    : share_(share), limit_(most_picks(share, window)), scores_(window), picked_(window) {}

bool EscalationBudget::picks(double score, double coin) {
  const double rank = scores_.above(score) + coin * (scores_.equal(score) + 1);
  const bool picked = rank < share_ * (scores_.count() + 1) && picked_.count_beside_next() < limit_;
  scores_.push(score);
  picked_.push(picked);
  return picked;
}

std::optional<double> EscalationBudget::threshold() const {
  if (scores_.count() == 0) return std::nullopt;
  const auto ranks = static_cast<int32_t>(share_ * (scores_.count() + 1));
  return scores_.largest(std::clamp(ranks - 1, 0, scores_.count() - 1));
}

}  // namespace saferoute::engine
