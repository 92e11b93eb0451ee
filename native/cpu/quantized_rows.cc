#include "cpu/quantized_rows.h"

#include <algorithm>
#include <cmath>

namespace saferoute::cpu {
namespace {

constexpr float kQuantizedLimit = 127.0f;

// Elements of a token's MLP that are held in f32 between their computation and their quantisation.
constexpr int64_t kHeldElements = 1 << 14;

}  // namespace

void quantize_rows(const float* x, uint8_t* out, float* scale, int64_t tokens, int64_t size, ParallelFor parallel_for,
                   const Kernels& kernels) {
  for_ranges(parallel_for, tokens, grain_of(size), [&](int64_t first, int64_t last) {
    for (int64_t t = first; t < last; ++t) {
      const float magnitude = kernels.magnitude(x + t * size, size);
      kernels.quantize(x + t * size, out + t * size, size, magnitude);
      scale[t] = magnitude / kQuantizedLimit;
    }
  });
}

void rms_norm_quantize(const float* x, const float* weight, uint8_t* out, float* scale, int64_t tokens, int64_t hidden,
                       float eps, ParallelFor parallel_for, const Kernels& kernels) {
  for_ranges(parallel_for, tokens, grain_of(hidden), [&](int64_t first, int64_t last) {
    for (int64_t t = first; t < last; ++t) {
      const int64_t at = t * hidden;
      scale[t] = kernels.rms_norm_quantize(x + at, weight, out + at, hidden, eps) / kQuantizedLimit;
    }
  });
}

void add_rms_norm_quantize(const float* x, const QuantizedSums& delta, const float* weight, float* sum, uint8_t* out,
                           float* scale, int64_t tokens, int64_t hidden, float eps, ParallelFor parallel_for,
                           const Kernels& kernels) {
  for_ranges(parallel_for, tokens, grain_of(hidden), [&](int64_t first, int64_t last) {
    for (int64_t t = first; t < last; ++t) {
      const int64_t at = t * hidden;
      const float magnitude = kernels.add_rms_norm_quantize(x + at, delta.sums + at, delta.weight_scale, weight,
                                                            sum + at, out + at, hidden, delta.token_scale[t], eps);
      scale[t] = magnitude / kQuantizedLimit;
    }
  });
}

// The largest magnitude of a token is known only at its end. Where the token is wider than what is held, its parts are
// computed a second time.
void swiglu_quantize(const QuantizedSums& gate_up, uint8_t* out, float* scale, int64_t tokens, int64_t intermediate,
                     ParallelFor parallel_for, const Kernels& kernels) {
  for_ranges(parallel_for, tokens, grain_of(2 * intermediate), [&](int64_t first, int64_t last) {
    float held[kHeldElements];
    for (int64_t t = first; t < last; ++t) {
      const int32_t* gate = gate_up.sums + t * 2 * intermediate;
      const auto compute = [&](int64_t from, int64_t size) {
        return kernels.dequantize_swiglu(gate + from, gate + intermediate + from, gate_up.weight_scale + from,
                                         gate_up.weight_scale + intermediate + from, held, size,
                                         gate_up.token_scale[t]);
      };
      float magnitude = 0;
      for (int64_t from = 0; from < intermediate; from += kHeldElements) {
        const float part = compute(from, std::min(kHeldElements, intermediate - from));
        if (!std::isnan(magnitude) && !(part <= magnitude)) magnitude = part;  // a NaN of either stays
      }
      for (int64_t from = 0; from < intermediate; from += kHeldElements) {
        const int64_t size = std::min(kHeldElements, intermediate - from);
        if (intermediate > kHeldElements) compute(from, size);
        kernels.quantize(held, out + t * intermediate + from, size, magnitude);
      }
      scale[t] = magnitude / kQuantizedLimit;
    }
  });
}

void dequantize_rows(const QuantizedSums& in, float* out, int64_t tokens, int64_t size, ParallelFor parallel_for,
                     const Kernels& kernels) {
  for_ranges(parallel_for, tokens, grain_of(size), [&](int64_t first, int64_t last) {
    for (int64_t t = first; t < last; ++t) {
      kernels.dequantize(in.sums + t * size, in.weight_scale, out + t * size, size, in.token_scale[t]);
    }
  });
}

}  // namespace saferoute::cpu
