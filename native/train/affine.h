// y = x W^T + b and its gradients, whatever the weights are made of.
#pragma once

#include "train/layer.h"

namespace saferoute::train {

struct AffineShape {
  int32_t inputs;
  int32_t outputs;

  int64_t weights() const { return static_cast<int64_t>(inputs) * outputs; }
};

void affine_forward(AffineShape shape, const float* weight,  // (outputs, inputs)
                    const float* bias,                       // (outputs)
                    const float* x, float* y, int32_t rows, const Pass& pass);

void affine_backward(AffineShape shape, const float* weight, const float* x, const float* dy,
                     float* dweight,  // (outputs, inputs)
                     float* dbias,    // (outputs)
                     float* dx, int32_t rows, const Pass& pass);

// Initial values in [-1, 1] / sqrt(inputs): PyTorch's default for a linear layer's weights and biases.
std::vector<float> uniform_values(AffineShape shape, int64_t count, uint64_t seed, uint32_t part);

}  // namespace saferoute::train
