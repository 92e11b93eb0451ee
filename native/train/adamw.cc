#include "train/adamw.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "train/sum_over.h"

namespace saferoute::train {
namespace {

// The factor that brings the gradients' norm down to `largest`; torch.nn.utils.clip_grad_norm_'s, epsilon included.
double clip_factor(std::span<Parameter* const> parameters, double largest, const Pass& pass) {
  constexpr double kEps = 1e-6;
  double total = 0;
  for (const Parameter* parameter : parameters) {
    const float* gradient = parameter->gradient.data();
    std::vector<double> squares((parameter->gradient.size() + kPieceFloats - 1) / kPieceFloats);
    cpu::for_ranges(pass.parallel_for, parameter->size(), kPieceFloats, [&](int64_t first, int64_t last) {
      const float* piece = gradient + first;
      squares[static_cast<size_t>(first / kPieceFloats)] =
          sum_over(last - first, [=](int64_t i) { return piece[i] * piece[i]; });
    });
    total = std::accumulate(squares.begin(), squares.end(), total);
  }
  return std::min(1.0, largest / (std::sqrt(total) + kEps));
}

}  // namespace

void adamw_step(std::span<Parameter* const> parameters, int64_t step, const AdamWRates& rates, const Pass& pass) {
  constexpr double kBeta1 = 0.9;
  constexpr double kBeta2 = 0.999;
  constexpr double kEps = 1e-8;
  const auto steps = static_cast<double>(step);
  const double scale = rates.gradient_clip ? clip_factor(parameters, *rates.gradient_clip, pass) : 1;
  const cpu::AdamWStep factors{
      .gradient_scale = static_cast<float>(scale),
      .beta1_rest = static_cast<float>(1 - kBeta1),
      .beta2 = static_cast<float>(kBeta2),
      .beta2_rest = static_cast<float>(1 - kBeta2),
      .eps = static_cast<float>(kEps),
      .square_root_correction = static_cast<float>(std::sqrt(1 - std::pow(kBeta2, steps))),
      .step_size = static_cast<float>(rates.learning_rate / (1 - std::pow(kBeta1, steps))),
      .decay = static_cast<float>(1 - rates.learning_rate * rates.weight_decay),
  };
  for (Parameter* parameter : parameters) {
    cpu::for_ranges(pass.parallel_for, parameter->size(), kPieceFloats, [&](int64_t first, int64_t last) {
      pass.kernels.adamw(parameter->gradient.data() + first, parameter->tensor.values.data() + first,
                         parameter->mean.data() + first, parameter->square.data() + first, last - first, factors);
    });
  }
}

}  // namespace saferoute::train
