#include "train/loss.h"

#include <cmath>

namespace saferoute::train {
namespace {

struct Term {
  double loss;
  double slope;  // d loss / d logit
};

// Cross-entropy, and the probability p = sigmoid(z) that it is about.
Term bce(double z, double t, double& p) {
  const double tail = std::exp(-std::abs(z));
  p = (z < 0 ? tail : 1) / (1 + tail);
  return {std::fmax(z, 0.0) + std::log1p(tail) - t * z, p - t};
}

Term focal(double z, double t, double alpha, double gamma) {
  double p;
  const Term entropy = bce(z, t, p);
  const double alpha_t = t * alpha + (1 - t) * (1 - alpha);
  const double miss = t * (1 - p) + (1 - t) * p;  // 1 - p_t
  const double miss_slope = (1 - 2 * t) * p * (1 - p);
  const double weight = std::pow(miss, gamma);
  // Where nothing is missed, gamma below 1 would divide by zero; the entropy beside it vanishes faster.
  const double weight_slope = miss > 0 ? gamma * std::pow(miss, gamma - 1) * miss_slope : 0;
  return {alpha_t * weight * entropy.loss, alpha_t * (weight_slope * entropy.loss + weight * entropy.slope)};
}

}  // namespace

double loss_and_gradient(const TrainingPlan& plan, std::span<const float> logits, std::span<const float> targets,
                         std::span<float> gradient) {
  const auto rows = static_cast<double>(logits.size());
  double total = 0;
  for (size_t r = 0; r < logits.size(); ++r) {
    double p;
    const Term term = plan.loss == LossKind::kBce ? bce(logits[r], targets[r], p)
                                                  : focal(logits[r], targets[r], plan.focal_alpha, plan.focal_gamma);
    total += term.loss;
    gradient[r] = static_cast<float>(term.slope / rows);
  }
  return total / rows;
}

}  // namespace saferoute::train
