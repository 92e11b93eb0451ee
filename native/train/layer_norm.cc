#include "train/layer_norm.h"

#include <algorithm>
#include <cmath>

#include "router/network.h"  // kNormEps
#include "train/sum_over.h"

namespace saferoute::train {

LayerNorm::LayerNorm(const std::string& name, int32_t size)
    : Layer(size),
      weight_(name + ".weight", {size}, std::vector<float>(static_cast<size_t>(size), 1.0f)),
      bias_(name + ".bias", {size}, std::vector<float>(static_cast<size_t>(size))) {}

void LayerNorm::forward(const float* x, float* y, int32_t rows, const Pass& pass) {
  means_.resize(static_cast<size_t>(rows));
  inverse_sigmas_.resize(static_cast<size_t>(rows));
  const int64_t size = outputs();
  const float* weight = weight_.values();
  const float* bias = bias_.values();
  cpu::for_ranges(pass.parallel_for, rows, std::max<int64_t>(1, kPieceFloats / size), [&](int64_t r, int64_t last) {
    for (; r < last; ++r) {
      const float* row = x + r * size;
      const float mean = sum_over(size, [=](int64_t i) { return row[i]; }) / static_cast<float>(size);
      const float squares = sum_over(size, [=](int64_t i) { return (row[i] - mean) * (row[i] - mean); });
      const float inverse = 1.0f / std::sqrt(squares / static_cast<float>(size) + router::kNormEps);
      for (int64_t i = 0; i < size; ++i) y[r * size + i] = (row[i] - mean) * inverse * weight[i] + bias[i];
      means_[static_cast<size_t>(r)] = mean;
      inverse_sigmas_[static_cast<size_t>(r)] = inverse;
    }
  });
}

// With n = (x - mean) / sigma and g = dy * weight: dx = (g - mean(g) - n * mean(g * n)) / sigma.
void LayerNorm::backward(const float* x, const float* dy, float* dx, int32_t rows, const Pass& pass) {
  constexpr int64_t kColumns = 64;
  const int64_t size = outputs();
  const float* weight = weight_.values();
  const float* means = means_.data();
  const float* inverses = inverse_sigmas_.data();
  cpu::for_ranges(pass.parallel_for, rows, std::max<int64_t>(1, kPieceFloats / size), [&](int64_t r, int64_t last) {
    for (; r < last; ++r) {
      const float* row = x + r * size;
      const float* dyr = dy + r * size;
      const float mean = means[r];
      const float inverse = inverses[r];
      const auto count = static_cast<float>(size);
      const float g = sum_over(size, [=](int64_t i) { return dyr[i] * weight[i]; }) / count;
      const float gn =
          sum_over(size, [=](int64_t i) { return dyr[i] * weight[i] * (row[i] - mean); }) * inverse / count;
      for (int64_t i = 0; i < size; ++i) {
        dx[r * size + i] = (dyr[i] * weight[i] - g - (row[i] - mean) * inverse * gn) * inverse;
      }
    }
  });
  float* dweight = weight_.gradient.data();
  float* dbias = bias_.gradient.data();
  cpu::for_ranges(pass.parallel_for, size, kColumns, [&](int64_t first, int64_t last) {
    std::fill(dweight + first, dweight + last, 0.0f);
    std::fill(dbias + first, dbias + last, 0.0f);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = first; i < last; ++i) {
        dweight[i] += dy[r * size + i] * (x[r * size + i] - means[r]) * inverses[r];
        dbias[i] += dy[r * size + i];
      }
    }
  });
}

}  // namespace saferoute::train
