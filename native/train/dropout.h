// Dropout (Srivastava et al. 2014): what stays is scaled up, so that nothing is to be done outside training.
#pragma once

#include "train/layer.h"
#include "train/random_stream.h"

namespace saferoute::train {

class Dropout final : public Layer {
 public:
  // `rate` is the share that is dropped.
  Dropout(int32_t size, double rate, uint64_t seed, uint32_t part);

  void forward(const float* x, float* y, int32_t rows, const Pass& pass) override;
  void backward(const float* x, const float* dy, float* dx, int32_t rows, const Pass& pass) override;

 private:
  uint32_t dropped_below_;  // of 32 random bits
  float scale_;
  RandomStream random_;
  std::vector<uint32_t> bits_;  // (rows, size) of the last pass
};

}  // namespace saferoute::train
