// A network in training: its layers one behind another, and what lies between them.
#pragma once

#include <memory>
#include <span>

#include "train/layer.h"

namespace saferoute::train {

// Used by one thread.
class Network {
 public:
  // The published network of the plan, with its initial weights, for features of width `inputs`.
  static Network published(const TrainingPlan& plan, int32_t inputs);

  void add(std::unique_ptr<Layer> layer) { layers_.push_back(std::move(layer)); }

  // Outputs of the last layer, (rows, outputs); valid until the next pass.
  std::span<const float> forward(const float* x,  // (rows, inputs)
                                 int32_t rows, const Pass& pass);

  // Computes the gradients of all parameters after a forward pass of the same batch in training. Returns what the
  // layers add to the loss.
  double backward(const float* x,               // (rows, inputs)
                  std::span<const float> last,  // (rows, outputs): gradient of what forward returned
                  int32_t rows, const Pass& pass);

  std::vector<Parameter*> parameters();
  std::vector<NamedTensor*> tensors();  // parameters and statistics, in the order of the reference's state_dict

 private:
  std::vector<std::unique_ptr<Layer>> layers_;
  std::vector<std::vector<float>> values_;     // of each layer, (rows, its outputs)
  std::vector<std::vector<float>> gradients_;  // of each layer's inputs; none of the first's
};

}  // namespace saferoute::train
