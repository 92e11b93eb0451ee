#include "router/quantized_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

namespace saferoute::router {
namespace {

constexpr float kLimit = 127.0f;

float largest_magnitude(std::span<const float> weight) {
  float largest = 0;
  for (const float value : weight) largest = std::max(largest, std::abs(value));
  return largest;
}

// What rounding changes, and what there is, as sums of squares.
struct Change {
  double error = 0;
  double whole = 0;

  double relative() const { return error == 0 ? 0 : std::sqrt(error / whole); }
};

// A scale too small for a normal f32 would not bring its group into range; such a group counts as zeros.
float quantize_group(std::span<const float> weight, int8_t* values, Change& change) {
  const float scale = largest_magnitude(weight) / kLimit;
  const bool normal = scale >= std::numeric_limits<float>::min();
  for (size_t i = 0; i < weight.size(); ++i) {
    values[i] = normal ? static_cast<int8_t>(std::nearbyint(weight[i] / scale)) : int8_t{0};
    const double error = static_cast<double>(values[i]) * scale - weight[i];
    change.error += error * error;
    change.whole += static_cast<double>(weight[i]) * weight[i];
  }
  return normal ? scale : 0.0f;
}

void quantize_layer(Layer& layer) {
  if (layer.weight.size() < kMinQuantizedWeights || layer.inputs > kMaxQuantizedInputs) return;
  const int64_t groups = groups_of(layer.inputs);
  QuantizedWeights quantized;
  quantized.values.resize(static_cast<size_t>(layer.outputs * groups * kGroupInputs));
  quantized.scales.reserve(static_cast<size_t>(layer.outputs * groups));
  Change change;
  for (int64_t output = 0; output < layer.outputs; ++output) {
    const auto row = std::span(layer.weight).subspan(static_cast<size_t>(output * layer.inputs), layer.inputs);
    for (int64_t group = 0; group < groups; ++group) {
      const int64_t first = group * kGroupInputs;
      const int64_t inputs = std::min<int64_t>(kGroupInputs, layer.inputs - first);
      int8_t* const values = quantized.values.data() + (output * groups + group) * kGroupInputs;
      quantized.scales.push_back(quantize_group(row.subspan(first, inputs), values, change));
    }
  }
  if (change.relative() > kMaxQuantizationError) return;
  layer.quantized = std::move(quantized);
  layer.weight = {};
}

}  // namespace

void quantize_weights(Network& network) {
  for (Layer& layer : network.layers) quantize_layer(layer);
}

}  // namespace saferoute::router
