#include "train/linear.h"

namespace saferoute::train {

Linear::Linear(const std::string& name, AffineShape shape, uint64_t seed, uint32_t part)
    : Layer(shape.outputs),
      shape_(shape),
      weight_(name + ".weight", {shape.outputs, shape.inputs}, uniform_values(shape, shape.weights(), seed, 2 * part)),
      bias_(name + ".bias", {shape.outputs}, uniform_values(shape, shape.outputs, seed, 2 * part + 1)) {}

void Linear::forward(const float* x, float* y, int32_t rows, const Pass& pass) {
  affine_forward(shape_, weight_.values(), bias_.values(), x, y, rows, pass);
}

void Linear::backward(const float* x, const float* dy, float* dx, int32_t rows, const Pass& pass) {
  affine_backward(shape_, weight_.values(), x, dy, weight_.gradient.data(), bias_.gradient.data(), dx, rows, pass);
}

}  // namespace saferoute::train
