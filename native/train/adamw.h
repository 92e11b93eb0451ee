// The optimiser: AdamW (Loshchilov & Hutter 2019) with PyTorch's defaults, after an optional clip of the gradients.
#pragma once

#include <optional>
#include <span>

#include "train/layer.h"

namespace saferoute::train {

struct AdamWRates {
  double learning_rate;
  double weight_decay;
  std::optional<double> gradient_clip;  // largest L2 norm of all gradients together
};

// Takes step t = `step`, counted from 1, along the gradients g of `parameters`, once they are clipped:
// m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, w = w - rate (decay w + m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) +
// eps)), with b1 = 0.9, b2 = 0.999, eps = 1e-8; m and v are the parameters' `mean` and `square`.
void adamw_step(std::span<Parameter* const> parameters, int64_t step, const AdamWRates& rates, const Pass& pass);

}  // namespace saferoute::train
