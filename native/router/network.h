// The router MLP, folded for inference: one description for every device.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/tensor_table.h"
#include "router/quantized_layout.h"

namespace saferoute::router {

enum class Activation { kNone, kRelu, kGelu };  // kGelu is the exact erf form

// See router/quantized_weights.h. Groups of an output are neighbours.
struct QuantizedWeights {
  std::vector<int8_t> values;  // (outputs, groups, kGroupInputs)
  std::vector<float> scales;   // (outputs, groups): weight ≈ value * scale
};

// y = activation(layer_norm(weight · x + bias))
struct Layer {
  int32_t inputs = 0;
  int32_t outputs = 0;
  std::vector<float> weight;       // (outputs, inputs); empty where `quantized` holds them
  QuantizedWeights quantized;      // empty where `weight` holds them
  std::vector<float> bias;         // (outputs)
  std::vector<float> norm_weight;  // (outputs); empty without LayerNorm
  std::vector<float> norm_bias;    // (outputs); empty without LayerNorm
  Activation activation = Activation::kNone;
};

// LayerNorm and BatchNorm epsilon: PyTorch's default, which both published networks use.
inline constexpr float kNormEps = 1e-5f;

// Widest input and widest layer: kernels hold the activations of a layer in tiles of a fixed size.
inline constexpr int32_t kMaxInputs = 1 << 16;
inline constexpr int32_t kMaxOutputs = 1 << 12;

struct Network {
  std::vector<Layer> layers;

  int32_t input_size() const { return layers.front().inputs; }
  int32_t widest() const;  // outputs of the widest layer
  uint64_t bytes() const;  // of all weights, biases and norms, as they are kept
};

// Tensor names of one layer in a router file.
struct NormNames {
  std::string weight, bias;
};
struct BatchNormNames {
  std::string weight, bias, running_mean, running_var;
};
struct LayerNames {
  std::string weight, bias;
  std::optional<NormNames> layer_norm;
  std::optional<BatchNormNames> batch_norm;  // folded into weight and bias
  Activation activation = Activation::kNone;
};

// Reads and folds a router. Throws Error(kCheckpoint) where shapes do not chain, exceed kMaxWidth or end in more than
// one output, Error(kNotFinite) for a weight that is NaN or infinite (before or after folding).
Network load_network(const model::TensorTable& table, std::span<const LayerNames> layers);

}  // namespace saferoute::router
