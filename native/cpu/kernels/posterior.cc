// Weights with a Gaussian posterior: drawing them, and the gradients of what they are drawn from.
#include "cpu/kernels/declarations.h"
#include "cpu/kernels/lanes.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

void sample_posterior(const float* mu, const float* log_sigma, float* noise, float* weight, int64_t size) {
  for_lanes(size, [&](int64_t i, int64_t count) {
    const Lanes deviation = load(noise + i, count) * exp(load(log_sigma + i, count));
    store(deviation, noise + i, count);
    store(load(mu + i, count) + deviation, weight + i, count);
  });
}

float posterior_gradients(const float* mu, const float* log_sigma, const float* deviation, float* mu_gradient,
                          float* log_sigma_gradient, int64_t size, float prior_precision, float kl_weight) {
  Lanes total{};
  for_lanes(size, [&](int64_t i, int64_t count) {
    const Lanes m = load(mu + i, count);
    const Lanes s = load(log_sigma + i, count);
    const Lanes g = load(mu_gradient + i, count);
    const Lanes sigma = exp(s);
    const Lanes variance_ratio = sigma * sigma * prior_precision;
    store(g + m * (kl_weight * prior_precision), mu_gradient + i, count);
    store(g * load(deviation + i, count) + (variance_ratio - 1.0f) * kl_weight, log_sigma_gradient + i, count);
    const Lanes terms = (variance_ratio + m * m * prior_precision) * 0.5f - s;
    if (count == kLanes) {
      total += terms;
    } else {
      for (int64_t lane = 0; lane < count; ++lane) total[lane] += terms[lane];
    }
  });
  return sum(total);
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
