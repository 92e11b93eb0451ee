// Values of tests in the formats of device memory, and the distance of what came out from a reference.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/element_types.h"
#include "random_floats.h"

namespace saferoute::cuda {

inline std::vector<Bf16> to_bf16(const std::vector<float>& values) {
  std::vector<Bf16> rounded;
  rounded.reserve(values.size());
  for (const float value : values) rounded.push_back(__float2bfloat16_rn(value));
  return rounded;
}

template <typename T>
std::vector<float> to_floats(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

// What bf16 makes of the values, so that a reference can start from what the device sees.
inline std::vector<float> rounded_to_bf16(const std::vector<float>& values) { return to_floats(to_bf16(values)); }

// Every element within tolerance * max(1, |expected|); NaN, as of what was not written, is near nothing but NaN.
inline void expect_near(const std::vector<float>& got, const std::vector<float>& expected, float tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(expected[i]) && std::isnan(got[i])) continue;
    ASSERT_LE(std::abs(got[i] - expected[i]), tolerance * std::max(1.0f, std::abs(expected[i]))) << "element " << i;
  }
}

// One unit in the last place of bf16, relative.
inline constexpr float kBf16Step = 1.0f / 128;

template <typename T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

}  // namespace saferoute::cuda
