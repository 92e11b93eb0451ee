// Activation functions.
#pragma once

#include "train/layer.h"

namespace saferoute::train {

class Relu final : public Layer {
 public:
  explicit Relu(int32_t size) : Layer(size) {}
  void forward(const float* x, float* y, int32_t rows, const Pass& pass) override;
  void backward(const float* x, const float* dy, float* dx, int32_t rows, const Pass& pass) override;
};

// x * Phi(x), Phi the distribution function of the standard Gaussian: the exact form, by erf.
class Gelu final : public Layer {
 public:
  explicit Gelu(int32_t size) : Layer(size) {}
  void forward(const float* x, float* y, int32_t rows, const Pass& pass) override;
  void backward(const float* x, const float* dy, float* dx, int32_t rows, const Pass& pass) override;

 private:
  std::vector<float> phi_;  // (rows, size), Phi of the last pass
};

}  // namespace saferoute::train
