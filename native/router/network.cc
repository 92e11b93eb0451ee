#include "router/network.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/error.h"
#include "model/weights.h"

namespace saferoute::router {
namespace {

using model::TensorTable;
using model::TensorView;

std::vector<float> read_vector(const TensorTable& table, const std::string& name, int64_t size) {
  const TensorView view = table.require(name, std::array{size});
  std::vector<float> values(static_cast<size_t>(size));
  model::convert_to_f32(view, values);
  return values;
}

int32_t checked_size(const std::string& tensor, const char* what, int64_t size, int32_t limit) {
  if (size >= 1 && size <= limit) return static_cast<int32_t>(size);
  throw Error(ErrorCode::kCheckpoint, "router: tensor '" + tensor + "' has " + std::to_string(size) + " " + what +
                                          ", it must have 1 to " + std::to_string(limit));
}

void check_finite(const std::vector<float>& values, const std::string& what) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(values[i])) continue;
    throw Error(ErrorCode::kNotFinite, "router: " + what + ": element " + std::to_string(i) +
                                           " is not finite once batch normalisation is folded in");
  }
}

// y = gamma · (W x + b - mean) / sqrt(variance + eps) + beta is linear in x, so it becomes W and b themselves. In
// double: the fold must not cost accuracy that the unfolded network has.
void fold_batch_norm(const TensorTable& table, const BatchNormNames& names, const std::string& weight_name,
                     Layer& layer) {
  const std::vector<float> gamma = read_vector(table, names.weight, layer.outputs);
  const std::vector<float> beta = read_vector(table, names.bias, layer.outputs);
  const std::vector<float> mean = read_vector(table, names.running_mean, layer.outputs);
  const std::vector<float> variance = read_vector(table, names.running_var, layer.outputs);
  const auto inputs = static_cast<size_t>(layer.inputs);
  for (size_t output = 0; output < layer.bias.size(); ++output) {
    if (variance[output] < 0) {
      throw Error(ErrorCode::kCheckpoint, "router: tensor '" + names.running_var + "': element " +
                                              std::to_string(output) + " is a negative variance, " +
                                              std::to_string(variance[output]));
    }
    const double scale = gamma[output] / std::sqrt(static_cast<double>(variance[output]) + kNormEps);
    for (float& weight : std::span(layer.weight).subspan(output * inputs, inputs)) {
      weight = static_cast<float>(weight * scale);
    }
    layer.bias[output] =
        static_cast<float>((static_cast<double>(layer.bias[output]) - mean[output]) * scale + beta[output]);
  }
  check_finite(layer.weight, "tensor '" + weight_name + "'");
  check_finite(layer.bias, "bias beside tensor '" + weight_name + "'");
}

Layer load_layer(const TensorTable& table, const LayerNames& names) {
  const TensorView weight = table.require(names.weight);
  const std::vector<int64_t>& shape = weight.entry->shape;
  if (shape.size() != 2) {
    throw Error(ErrorCode::kCheckpoint, "router: tensor '" + names.weight + "' has " + std::to_string(shape.size()) +
                                            " dimensions, expected (outputs, inputs)");
  }
  if (names.layer_norm && names.batch_norm) {
    throw Error(ErrorCode::kUnsupported, "router: layer '" + names.weight + "' has both a layer norm and a batch norm");
  }
  Layer layer;
  layer.inputs = checked_size(names.weight, "inputs", shape[1], kMaxInputs);
  layer.outputs = checked_size(names.weight, "outputs", shape[0], kMaxOutputs);
  layer.activation = names.activation;
  layer.weight.resize(static_cast<size_t>(weight.elements()));
  model::convert_to_f32(weight, layer.weight);
  layer.bias = read_vector(table, names.bias, layer.outputs);
  if (names.layer_norm) {
    layer.norm_weight = read_vector(table, names.layer_norm->weight, layer.outputs);
    layer.norm_bias = read_vector(table, names.layer_norm->bias, layer.outputs);
  }
  if (names.batch_norm) fold_batch_norm(table, *names.batch_norm, names.weight, layer);
  return layer;
}

}  // namespace

int32_t Network::widest() const {
  int32_t width = 0;
  for (const Layer& layer : layers) width = std::max(width, layer.outputs);
  return width;
}

uint64_t Network::bytes() const {
  size_t floats = 0;
  size_t bytes = 0;
  for (const Layer& layer : layers) {
    floats += layer.weight.size() + layer.bias.size() + layer.norm_weight.size() + layer.norm_bias.size() +
              layer.quantized.scales.size();
    bytes += layer.quantized.values.size();
  }
  return floats * sizeof(float) + bytes;
}

Network load_network(const TensorTable& table, std::span<const LayerNames> layers) {
  if (layers.empty()) throw Error(ErrorCode::kCheckpoint, "router: has no layers");
  Network network;
  network.layers.reserve(layers.size());
  for (const LayerNames& names : layers) {
    Layer layer = load_layer(table, names);
    if (!network.layers.empty() && network.layers.back().outputs != layer.inputs) {
      throw Error(ErrorCode::kCheckpoint, "router: tensor '" + names.weight + "' takes " +
                                              std::to_string(layer.inputs) + " inputs, the layer before it has " +
                                              std::to_string(network.layers.back().outputs) + " outputs");
    }
    network.layers.push_back(std::move(layer));
  }
  if (network.layers.back().outputs != 1) {
    throw Error(ErrorCode::kCheckpoint, "router: its last layer, '" + layers.back().weight + "', has " +
                                            std::to_string(network.layers.back().outputs) + " outputs, expected 1");
  }
  return network;
}

}  // namespace saferoute::router
