// A fully connected layer.
#pragma once

#include "train/affine.h"

namespace saferoute::train {

class Linear final : public Layer {
 public:
  // `name` is "cls.4" or so; `part` tells its random numbers from those of other layers.
  Linear(const std::string& name, AffineShape shape, uint64_t seed, uint32_t part);

  void forward(const float* x, float* y, int32_t rows, const Pass& pass) override;
  void backward(const float* x, const float* dy, float* dx, int32_t rows, const Pass& pass) override;
  std::vector<Parameter*> parameters() override { return {&weight_, &bias_}; }

 private:
  AffineShape shape_;
  Parameter weight_;
  Parameter bias_;
};

}  // namespace saferoute::train
