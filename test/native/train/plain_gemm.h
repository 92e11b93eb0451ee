// Matrix products as they are defined.
#pragma once

#include <algorithm>
#include <vector>

#include "train/gemm.h"

namespace saferoute::train::test {

inline std::vector<float> transposed(const float* from, int32_t rows, int32_t columns) {
  std::vector<float> to(static_cast<size_t>(rows) * static_cast<size_t>(columns));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) to[static_cast<size_t>(c * rows + r)] = from[r * columns + c];
  }
  return to;
}

class PlainGemm final : public Gemm {
 public:
  void multiply(const float* a, bool transpose_a, const float* b, bool transpose_b, float* c, int32_t m, int32_t n,
                int32_t k) override {
    const std::vector<float> own_a = transpose_a ? transposed(a, k, m) : std::vector<float>(a, a + int64_t{m} * k);
    const std::vector<float> own_b = transpose_b ? transposed(b, n, k) : std::vector<float>(b, b + int64_t{k} * n);
    std::fill(c, c + int64_t{m} * n, 0.0f);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t l = 0; l < k; ++l) {
        const float factor = own_a[static_cast<size_t>(i * k + l)];
        const float* row = own_b.data() + l * n;
        for (int64_t j = 0; j < n; ++j) c[i * n + j] += factor * row[j];
      }
    }
  }
};

}  // namespace saferoute::train::test
