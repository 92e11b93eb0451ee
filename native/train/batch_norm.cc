#include "train/batch_norm.h"

#include <algorithm>
#include <cmath>

#include "router/network.h"  // kNormEps

namespace saferoute::train {
namespace {

// Share of a new batch in the running statistics: PyTorch's default.
constexpr double kMomentum = 0.1;

// Columns of one piece.
constexpr int64_t kColumns = 64;

std::vector<float> constants(int32_t size, float value) { return std::vector<float>(static_cast<size_t>(size), value); }

}  // namespace

BatchNorm::BatchNorm(const std::string& name, int32_t size)
    : Layer(size),
      weight_(name + ".weight", {size}, constants(size, 1)),
      bias_(name + ".bias", {size}, constants(size, 0)),
      running_mean_{name + ".running_mean", {size}, constants(size, 0)},
      running_var_{name + ".running_var", {size}, constants(size, 1)},
      means_(constants(size, 0)),
      inverse_sigmas_(constants(size, 0)) {}

// The batch's statistics of columns [first, last), and what they add to the running ones.
void BatchNorm::measure(const float* x, int32_t rows, int64_t first, int64_t last) {
  const int64_t size = outputs();
  const int64_t columns = last - first;
  double sums[kColumns] = {};
  double squares[kColumns] = {};
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) sums[c] += x[r * size + first + c];
  }
  for (double& sum : sums) sum /= rows;
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      const double centred = x[r * size + first + c] - sums[c];
      squares[c] += centred * centred;
    }
  }
  for (int64_t c = 0; c < columns; ++c) {
    const auto i = static_cast<size_t>(first + c);
    means_[i] = static_cast<float>(sums[c]);
    inverse_sigmas_[i] = static_cast<float>(1 / std::sqrt(squares[c] / rows + double{router::kNormEps}));
    float& mean = running_mean_.values[i];
    float& var = running_var_.values[i];
    mean = static_cast<float>((1 - kMomentum) * mean + kMomentum * sums[c]);
    var = static_cast<float>((1 - kMomentum) * var + kMomentum * squares[c] / (rows - 1));
  }
}

void BatchNorm::forward(const float* x, float* y, int32_t rows, const Pass& pass) {
  const int64_t size = outputs();
  cpu::for_ranges(pass.parallel_for, size, kColumns, [&](int64_t first, int64_t last) {
    float factors[kColumns];
    float shifts[kColumns];
    if (pass.training) measure(x, rows, first, last);
    for (int64_t i = first; i < last; ++i) {
      const auto at = static_cast<size_t>(i);
      const float mean = pass.training ? means_[at] : running_mean_.values[at];
      const float inverse =
          pass.training ? inverse_sigmas_[at] : 1.0f / std::sqrt(running_var_.values[at] + router::kNormEps);
      factors[i - first] = inverse * weight_.values()[i];
      shifts[i - first] = bias_.values()[i] - mean * factors[i - first];
    }
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = first; i < last; ++i) y[r * size + i] = x[r * size + i] * factors[i - first] + shifts[i - first];
    }
  });
}

// With n = (x - mean) / sigma: dx = (dy - mean(dy) - n * mean(dy * n)) * weight / sigma, means over the batch.
void BatchNorm::backward(const float* x, const float* dy, float* dx, int32_t rows, const Pass& pass) {
  const int64_t size = outputs();
  cpu::for_ranges(pass.parallel_for, size, kColumns, [&](int64_t first, int64_t last) {
    const int64_t columns = last - first;
    const float* means = means_.data() + first;
    const float* inverses = inverse_sigmas_.data() + first;
    double sums[kColumns] = {};
    double products[kColumns] = {};
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) {
        const float g = dy[r * size + first + c];
        sums[c] += g;
        products[c] += g * ((x[r * size + first + c] - means[c]) * inverses[c]);
      }
    }
    float mean_g[kColumns];
    float mean_gn[kColumns];
    for (int64_t c = 0; c < columns; ++c) {
      bias_.gradient[static_cast<size_t>(first + c)] = static_cast<float>(sums[c]);
      weight_.gradient[static_cast<size_t>(first + c)] = static_cast<float>(products[c]);
      mean_g[c] = static_cast<float>(sums[c] / rows);
      mean_gn[c] = static_cast<float>(products[c] / rows);
    }
    const float* weights = weight_.values() + first;
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) {
        const int64_t i = r * size + first + c;
        const float n = (x[i] - means[c]) * inverses[c];
        dx[i] = (dy[i] - mean_g[c] - n * mean_gn[c]) * (weights[c] * inverses[c]);
      }
    }
  });
}

}  // namespace saferoute::train
