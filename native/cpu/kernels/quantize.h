// The two halves of quantising a vector: its largest magnitude, then its elements as bytes.
#pragma once

#include "cpu/kernels/lanes.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

// The magnitude of what is quantised is this many steps.
inline constexpr float kQuantizedLimit = 127.0f;

// The largest magnitude of what it has seen. Compares bits: as integers, magnitudes are in order, infinity is above
// every number and NaN above infinity, where a comparison of floats would lose a NaN.
class Magnitude {
 public:
  void add(Lanes lanes) {
    const IntLanes bits = (IntLanes)lanes & 0x7fffffff;
    largest_ = bits > largest_ ? bits : largest_;
  }

  // NaN where anything was NaN or infinite.
  float value() const {
    int32_t largest = 0;
    for (int i = 0; i < kLanes; ++i) largest = largest_[i] > largest ? largest_[i] : largest;
    float magnitude;
    __builtin_memcpy(&magnitude, &largest, sizeof(magnitude));
    return magnitude + (magnitude - magnitude);
  }

 private:
  IntLanes largest_{};
};

// What takes elements up to this magnitude to [-limit, limit]. Below 2^-100, where the reciprocal would overflow before
// long, all is 0.
inline float quantization_factor(float magnitude, float limit = kQuantizedLimit) {
  return magnitude < 0x1p-100f ? 0.0f : limit / magnitude;
}

// out = 128 + x * factor to the nearest integer, ties to even: adding 3 * 2^22 leaves an integer in the low mantissa
// bits, of which the lowest eight are the answer.
inline void quantize(Lanes x, float factor, uint8_t* out, int64_t count) {
  const Lanes shifted = x * factor + (0x1.8p23f + 128.0f);
  const ByteLanes bytes = __builtin_convertvector((IntLanes)shifted & 0xff, ByteLanes);
  __builtin_memcpy(out, &bytes, static_cast<size_t>(count));
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
