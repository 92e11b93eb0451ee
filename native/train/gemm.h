// The matrix products of training, by whatever library does them best.
#pragma once

#include <cstdint>

namespace saferoute::train {

class Gemm {
 public:
  virtual ~Gemm() = default;

  // c = a b, where `transpose_a` or `transpose_b` says that the matrix lies transposed. All row-major and dense:
  // a (m, k), or (k, m) transposed; b (k, n), or (n, k) transposed; c (m, n), overwritten.
  virtual void multiply(const float* a, bool transpose_a, const float* b, bool transpose_b, float* c, int32_t m,
                        int32_t n, int32_t k) = 0;
};

}  // namespace saferoute::train
