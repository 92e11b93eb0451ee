// Layer normalisation with weight and bias (Ba et al. 2016).
#pragma once

#include "train/layer.h"

namespace saferoute::train {

// y = weight (x - mean) / sqrt(variance + epsilon) + bias, per row of x (rows, size).
class LayerNorm final : public Layer {
 public:
  LayerNorm(const std::string& name, int32_t size);

  void forward(const float* x, float* y, int32_t rows, const Pass& pass) override;
  void backward(const float* x, const float* dy, float* dx, int32_t rows, const Pass& pass) override;
  std::vector<Parameter*> parameters() override { return {&weight_, &bias_}; }

 private:
  Parameter weight_;                   // (size)
  Parameter bias_;                     // (size)
  std::vector<float> means_;           // (rows) of the last pass
  std::vector<float> inverse_sigmas_;  // (rows)
};

}  // namespace saferoute::train
