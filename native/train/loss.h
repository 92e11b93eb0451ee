// What training minimises, of one batch.
#pragma once

#include <span>

#include "train/trainer.h"

namespace saferoute::train {

// The mean loss of `logits` (rows) for `targets` (rows), and the gradient of that mean, (rows).
// BCE: softplus(z) - t z. Focal (Lin et al. 2017): alpha_t (1 - p_t)^gamma BCE, with p_t = t p + (1 - t)(1 - p) and
// alpha_t = t alpha + (1 - t)(1 - alpha), which for targets between 0 and 1 is the mixture.
double loss_and_gradient(const TrainingPlan& plan, std::span<const float> logits, std::span<const float> targets,
                         std::span<float> gradient);

}  // namespace saferoute::train
