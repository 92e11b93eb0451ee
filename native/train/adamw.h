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

// Takes step `step`, counted from 1, along the gradients of `parameters`.
void adamw_step(std::span<Parameter* const> parameters, int64_t step, const AdamWRates& rates, const Pass& pass);

}  // namespace saferoute::train
