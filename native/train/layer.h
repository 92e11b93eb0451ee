// What the layers of a network in training have in common.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "cpu/kernels.h"
#include "cpu/parallel_for.h"
#include "train/gemm.h"
#include "train/trainer.h"

namespace saferoute::train {

// What a pass over a batch works with.
struct Pass {
  Gemm& gemm;
  cpu::ParallelFor parallel_for;
  const cpu::Kernels& kernels;
  bool training = false;
  uint32_t step = 0;  // of the training, from 0: what is random differs from step to step
};

// A tensor that is learnt. All buffers are as large as its values.
struct Parameter {
  Parameter(std::string name, std::vector<int64_t> shape, std::vector<float> initial)
      : tensor{std::move(name), std::move(shape), std::move(initial)},
        gradient(tensor.values.size()),
        mean(tensor.values.size()),
        square(tensor.values.size()) {}

  const float* values() const { return tensor.values.data(); }
  int64_t size() const { return static_cast<int64_t>(tensor.values.size()); }

  NamedTensor tensor;
  std::vector<float> gradient;
  std::vector<float> mean;    // the optimiser's running mean of the gradient
  std::vector<float> square;  // and of its square
};

// Used by one thread, which may hand pieces to others through the pass.
class Layer {
 public:
  explicit Layer(int32_t outputs) : outputs_(outputs) {}
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  int32_t outputs() const { return outputs_; }

  virtual void forward(const float* x,  // (rows, inputs)
                       float* y,        // (rows, outputs)
                       int32_t rows, const Pass& pass) = 0;

  // Of the last forward pass in training: the gradient of x from that of y, and those of the parameters, overwritten.
  virtual void backward(const float* x,   // (rows, inputs), as it was then
                        const float* dy,  // (rows, outputs)
                        float* dx,        // (rows, inputs), or null where nobody wants it
                        int32_t rows, const Pass& pass) = 0;

  // What the layer itself adds to the loss; valid after backward.
  virtual double penalty() const { return 0; }

  // In the order of the reference's state_dict, where statistics come last.
  virtual std::vector<Parameter*> parameters() { return {}; }
  virtual std::vector<NamedTensor*> statistics() { return {}; }  // gathered by forward passes in training

 private:
  int32_t outputs_;
};

// Floats of one piece of element-wise work: fixed, so that sums over pieces never depend on the number of threads.
inline constexpr int64_t kPieceFloats = 1 << 14;

}  // namespace saferoute::train
