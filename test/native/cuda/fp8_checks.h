// What rows of FP8 must be, given the f32 that they stand for.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/fp8_rows.h"

namespace saferoute::cuda {

// Each scale is the row's largest magnitude over kFp8Max, and each value within half a step of e4m3: 2^-4 of itself, or
// 2^-10 where it is denormal. `slack` is what `expected` itself may be off by, relative.
inline void expect_fp8_rows(const std::vector<Fp8>& values, const std::vector<float>& scales,
                            const std::vector<float>& expected, float slack) {
  const size_t size = expected.size() / scales.size();
  for (size_t row = 0; row < scales.size(); ++row) {
    float largest = 0;
    for (size_t i = row * size; i < (row + 1) * size; ++i) largest = std::max(largest, std::abs(expected[i]));
    if (largest > 0) {
      ASSERT_NEAR(scales[row] * kFp8Max / largest, 1.0f, slack + 1e-6f) << "row " << row;
    }
    ASSERT_TRUE(std::isfinite(scales[row])) << "row " << row;
    for (size_t i = row * size; i < (row + 1) * size; ++i) {
      const float got = static_cast<float>(values[i]) * scales[row];
      const float step = std::max(std::abs(expected[i]) / 16, scales[row] / 1024) + std::abs(expected[i]) * slack;
      ASSERT_LE(std::abs(got - expected[i]), step * 1.0001f) << "row " << row << ", element " << i % size;
    }
  }
}

}  // namespace saferoute::cuda
