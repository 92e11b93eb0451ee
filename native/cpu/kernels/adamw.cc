// One step of AdamW.
#include "cpu/kernels/declarations.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

void adamw(const float* gradient, float* value, float* mean, float* square, int64_t size, const AdamWStep& step) {
  for (int64_t i = 0; i < size; ++i) {
    const float g = gradient[i] * step.gradient_scale;
    mean[i] += (g - mean[i]) * step.beta1_rest;
    square[i] = square[i] * step.beta2 + g * g * step.beta2_rest;
    const float root = __builtin_sqrtf(square[i]) / step.square_root_correction + step.eps;
    value[i] = value[i] * step.decay - step.step_size * (mean[i] / root);
  }
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
