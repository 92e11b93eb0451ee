#include "cpu/rope.h"

#include <cmath>

namespace saferoute::cpu {

// Sines come from the C library, not from a kernel: this runs once per batch, not once per layer, and an angle of
// 100,000 radians needs its careful argument reduction.
void rope_table(const int32_t* positions, const float* inverse_frequency, float* cos_sin, int64_t tokens,
                int64_t head_dim, ParallelFor parallel_for) {
  constexpr int64_t kSineCost = 32;  // in floats moved
  const int64_t half = head_dim / 2;
  for_ranges(parallel_for, tokens, grain_of(kSineCost * head_dim), [&](int64_t first, int64_t last) {
    for (int64_t t = first; t < last; ++t) {
      float* row = cos_sin + t * head_dim;
      for (int64_t i = 0; i < half; ++i) {
        const float angle = static_cast<float>(positions[t]) * inverse_frequency[i];
        row[i] = std::cos(angle);
        row[half + i] = std::sin(angle);
      }
    }
  });
}

}  // namespace saferoute::cpu
