// Inputs of tests that must be the same in every run.
#pragma once

#include <cstddef>
#include <random>
#include <vector>

namespace saferoute {

// (count): normally distributed around 0, with the standard deviation `scale`.
inline std::vector<float> random_floats(size_t count, unsigned seed, float scale = 1.0f) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<float> values(count);
  for (float& value : values) value = normal(generator);
  return values;
}

}  // namespace saferoute
