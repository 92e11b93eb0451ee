#include "train/bayesian_linear.h"

#include <cmath>
#include <numeric>
#include <utility>

namespace saferoute::train {
namespace {

// He et al. 2015: variance 2 / inputs.
std::vector<float> kaiming_values(AffineShape shape, uint64_t seed, uint32_t part) {
  std::vector<float> values(static_cast<size_t>(shape.weights()));
  RandomStream(seed, RandomUse::kWeights, part).gaussians(0, 0, values);
  const auto sigma = static_cast<float>(std::sqrt(2.0 / shape.inputs));
  for (float& value : values) value *= sigma;
  return values;
}

}  // namespace

BayesianLinear::Posterior::Posterior(const std::string& name, std::vector<int64_t> shape, std::vector<float> mean,
                                     double sigma, RandomStream stream)
    : mu(name + "_mu", shape, std::move(mean)),
      log_sigma(name + "_log_sigma", shape,
                std::vector<float>(mu.tensor.values.size(), static_cast<float>(std::log(sigma)))),
      noise(stream),
      deviation(mu.tensor.values.size()),
      drawn(mu.tensor.values.size()),
      divergences((mu.tensor.values.size() + kPieceFloats - 1) / kPieceFloats) {}

void BayesianLinear::Posterior::draw(const Pass& pass) {
  cpu::for_ranges(pass.parallel_for, mu.size(), kPieceFloats, [&](int64_t first, int64_t last) {
    const auto size = static_cast<size_t>(last - first);
    noise.gaussians(pass.step, first, std::span(deviation).subspan(static_cast<size_t>(first), size));
    pass.kernels.sample_posterior(mu.values() + first, log_sigma.values() + first, deviation.data() + first,
                                  drawn.data() + first, last - first);
  });
}

void BayesianLinear::Posterior::differentiate(Prior prior, const Pass& pass) {
  const auto precision = static_cast<float>(1 / (prior.sigma * prior.sigma));
  cpu::for_ranges(pass.parallel_for, mu.size(), kPieceFloats, [&](int64_t first, int64_t last) {
    const double varying = pass.kernels.posterior_gradients(
        mu.values() + first, log_sigma.values() + first, deviation.data() + first, mu.gradient.data() + first,
        log_sigma.gradient.data() + first, last - first, precision, static_cast<float>(prior.kl_weight));
    const double constant = std::log(prior.sigma) - 0.5;
    divergences[static_cast<size_t>(first / kPieceFloats)] = varying + constant * static_cast<double>(last - first);
  });
}

BayesianLinear::BayesianLinear(const std::string& name, AffineShape shape, Prior prior, uint64_t seed, uint32_t part)
    : Layer(shape.outputs),
      shape_(shape),
      prior_(prior),
      weight_(name + ".weight", {shape.outputs, shape.inputs}, kaiming_values(shape, seed, 2 * part), prior.sigma,
              RandomStream(seed, RandomUse::kNoise, 2 * part)),
      bias_(name + ".bias", {shape.outputs}, uniform_values(shape, shape.outputs, seed, 2 * part + 1), prior.sigma,
            RandomStream(seed, RandomUse::kNoise, 2 * part + 1)) {}

void BayesianLinear::forward(const float* x, float* y, int32_t rows, const Pass& pass) {
  if (!pass.training) return affine_forward(shape_, weight_.mu.values(), bias_.mu.values(), x, y, rows, pass);
  weight_.draw(pass);
  bias_.draw(pass);
  affine_forward(shape_, weight_.drawn.data(), bias_.drawn.data(), x, y, rows, pass);
}

void BayesianLinear::backward(const float* x, const float* dy, float* dx, int32_t rows, const Pass& pass) {
  affine_backward(shape_, weight_.drawn.data(), x, dy, weight_.mu.gradient.data(), bias_.mu.gradient.data(), dx, rows,
                  pass);
  weight_.differentiate(prior_, pass);
  bias_.differentiate(prior_, pass);
}

double BayesianLinear::penalty() const {
  double divergence = 0;
  for (const Posterior* posterior : {&weight_, &bias_}) {
    divergence = std::accumulate(posterior->divergences.begin(), posterior->divergences.end(), divergence);
  }
  return prior_.kl_weight * divergence;
}

std::vector<Parameter*> BayesianLinear::parameters() {
  return {&weight_.mu, &weight_.log_sigma, &bias_.mu, &bias_.log_sigma};
}

}  // namespace saferoute::train
