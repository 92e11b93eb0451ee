// The factor of a root mean square norm.
#pragma once

#include <cstdint>

#include <math.h>  // sqrtf: a plain function, see cpu/kernels.h

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

// 1 / sqrt(sum_of_squares / size + eps), but NaN for an infinite sum: finite elements whose squares overflow would
// become zeros.
inline float inverse_rms(float sum_of_squares, int64_t size, float eps) {
  return 1.0f / sqrtf(sum_of_squares / static_cast<float>(size) + eps) + (sum_of_squares - sum_of_squares);
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
