// Sums that a compiler may vectorise: in a fixed order that is not one after the other.
#pragma once

#include <cstdint>

namespace saferoute::train {

// The sum of term(i) for i in [0, size).
template <typename F>
inline float sum_over(int64_t size, F&& term) {
  constexpr int kLanes = 16;
  float sums[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) sums[lane] += term(i + lane);
  }
  for (int lane = 0; i < size; ++i, ++lane) sums[lane] += term(i);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int lane = 0; lane < width; ++lane) sums[lane] += sums[lane + width];
  }
  return sums[0];
}

}  // namespace saferoute::train
