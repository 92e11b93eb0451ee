// Batch normalisation with weight, bias and running statistics (Ioffe & Szegedy 2015), as PyTorch has it.
#pragma once

#include "train/layer.h"

namespace saferoute::train {

// y = weight (x - mean) / sqrt(variance + epsilon) + bias, per column of x (rows, size).
// In training it normalises by the batch, which must have two rows at least; otherwise by the running statistics.
class BatchNorm final : public Layer {
 public:
  BatchNorm(const std::string& name, int32_t size);

  void forward(const float* x, float* y, int32_t rows, const Pass& pass) override;
  void backward(const float* x, const float* dy, float* dx, int32_t rows, const Pass& pass) override;
  std::vector<Parameter*> parameters() override { return {&weight_, &bias_}; }
  std::vector<NamedTensor*> statistics() override { return {&running_mean_, &running_var_}; }

 private:
  void measure(const float* x, int32_t rows, int64_t first, int64_t last);

  Parameter weight_;                   // (size)
  Parameter bias_;                     // (size)
  NamedTensor running_mean_;           // (size)
  NamedTensor running_var_;            // (size), unbiased
  std::vector<float> means_;           // (size) of the last batch
  std::vector<float> inverse_sigmas_;  // (size)
};

}  // namespace saferoute::train
