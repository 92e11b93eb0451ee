#include "train/network.h"

#include <array>

#include "train/activations.h"
#include "train/batch_norm.h"
#include "train/bayesian_linear.h"
#include "train/dropout.h"
#include "train/layer_norm.h"
#include "train/linear.h"

namespace saferoute::train {
namespace {

std::string name_of(uint32_t position) { return "cls." + std::to_string(position); }

// SafeRoute, arXiv 2502.12464 section 3.2.
Network official(const TrainingPlan& plan, int32_t inputs) {
  constexpr int32_t kHidden = 512;
  const std::array<AffineShape, 3> shapes{{{inputs, kHidden}, {kHidden, kHidden}, {kHidden, 1}}};
  int64_t elements = 0;
  for (const AffineShape& shape : shapes) elements += shape.weights() + shape.outputs;
  const Prior prior{plan.prior_sigma, plan.kl_weight / static_cast<double>(elements)};
  Network network;
  uint32_t position = 0;
  for (const AffineShape& shape : shapes) {
    network.add(std::make_unique<BayesianLinear>(name_of(position), shape, prior, plan.seed, position));
    if (shape.outputs == 1) break;
    network.add(std::make_unique<LayerNorm>(name_of(position + 1), shape.outputs));
    network.add(std::make_unique<Relu>(shape.outputs));
    position += 3;
  }
  return network;
}

// The model card "SafeRoute Router Model (DynaGuard 1.7B / 8B)".
Network card(const TrainingPlan& plan, int32_t inputs) {
  struct Block {
    int32_t width;
    double dropout;
  };
  Network network;
  uint32_t position = 0;
  for (const Block& block : {Block{1024, 0.3}, Block{512, 0.3}, Block{256, 0.2}}) {
    const AffineShape shape{inputs, block.width};
    network.add(std::make_unique<Linear>(name_of(position), shape, plan.seed, position));
    network.add(std::make_unique<BatchNorm>(name_of(position + 1), block.width));
    network.add(std::make_unique<Gelu>(block.width));
    network.add(std::make_unique<Dropout>(block.width, block.dropout, plan.seed, position + 3));
    inputs = block.width;
    position += 4;
  }
  network.add(std::make_unique<Linear>(name_of(position), AffineShape{inputs, 1}, plan.seed, position));
  return network;
}

}  // namespace

Network Network::published(const TrainingPlan& plan, int32_t inputs) {
  return plan.network == NetworkKind::kOfficial ? official(plan, inputs) : card(plan, inputs);
}

std::span<const float> Network::forward(const float* x, int32_t rows, const Pass& pass) {
  values_.resize(layers_.size());
  for (size_t l = 0; l < layers_.size(); ++l) {
    values_[l].resize(static_cast<size_t>(rows) * static_cast<size_t>(layers_[l]->outputs()));
    layers_[l]->forward(x, values_[l].data(), rows, pass);
    x = values_[l].data();
  }
  return values_.back();
}

double Network::backward(const float* x, std::span<const float> last, int32_t rows, const Pass& pass) {
  gradients_.resize(layers_.size());
  const float* dy = last.data();
  double penalty = 0;
  for (size_t l = layers_.size(); l-- > 0;) {
    float* dx = nullptr;
    if (l > 0) {
      gradients_[l].resize(values_[l - 1].size());
      dx = gradients_[l].data();
    }
    layers_[l]->backward(l > 0 ? values_[l - 1].data() : x, dy, dx, rows, pass);
    penalty += layers_[l]->penalty();
    dy = dx;
  }
  return penalty;
}

std::vector<Parameter*> Network::parameters() {
  std::vector<Parameter*> all;
  for (const auto& layer : layers_) {
    const auto own = layer->parameters();
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

std::vector<NamedTensor*> Network::tensors() {
  std::vector<NamedTensor*> all;
  for (const auto& layer : layers_) {
    for (Parameter* parameter : layer->parameters()) all.push_back(&parameter->tensor);
    const auto statistics = layer->statistics();
    all.insert(all.end(), statistics.begin(), statistics.end());
  }
  return all;
}

}  // namespace saferoute::train
