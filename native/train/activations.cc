#include "train/activations.h"

#include <cmath>

namespace saferoute::train {

void Relu::forward(const float* x, float* y, int32_t rows, const Pass& pass) {
  cpu::for_ranges(pass.parallel_for, int64_t{rows} * outputs(), kPieceFloats, [=](int64_t i, int64_t last) {
    for (; i < last; ++i) y[i] = x[i] < 0 ? 0 : x[i];  // NaN stays NaN
  });
}

void Relu::backward(const float* x, const float* dy, float* dx, int32_t rows, const Pass& pass) {
  cpu::for_ranges(pass.parallel_for, int64_t{rows} * outputs(), kPieceFloats, [=](int64_t i, int64_t last) {
    for (; i < last; ++i) dx[i] = x[i] > 0 ? dy[i] : 0;
  });
}

void Gelu::forward(const float* x, float* y, int32_t rows, const Pass& pass) {
  constexpr float kHalfSqrt2 = 0.70710678f;
  const int64_t size = int64_t{rows} * outputs();
  phi_.resize(static_cast<size_t>(size));
  float* phi = phi_.data();
  cpu::for_ranges(pass.parallel_for, size, kPieceFloats, [=](int64_t i, int64_t last) {
    for (; i < last; ++i) {
      phi[i] = 0.5f * (1.0f + std::erf(x[i] * kHalfSqrt2));
      y[i] = x[i] * phi[i];
    }
  });
}

// d/dx = Phi(x) + x * phi(x), phi the density exp(-x^2 / 2) / sqrt(2 pi).
void Gelu::backward(const float* x, const float* dy, float* dx, int32_t rows, const Pass& pass) {
  constexpr float kInverseSqrt2Pi = 0.39894228f;
  const float* phi = phi_.data();
  cpu::for_ranges(pass.parallel_for, int64_t{rows} * outputs(), kPieceFloats, [=](int64_t i, int64_t last) {
    for (; i < last; ++i) {
      dx[i] = dy[i] * (phi[i] + x[i] * (kInverseSqrt2Pi * std::exp(-0.5f * x[i] * x[i])));
    }
  });
}

}  // namespace saferoute::train
