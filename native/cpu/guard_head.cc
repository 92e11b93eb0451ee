#include "cpu/guard_head.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "router/quantized_weights.h"

namespace saferoute::cpu {
namespace {

// Rows that go through the router together, so that its weights are read once for all of them.
constexpr int64_t kRowBlock = 4;

// Outputs of one layer that a thread computes at a time.
constexpr int64_t kOutputBlock = 64;

template <int64_t kRows>
struct RouterTile {
  float activations[2][kRows * router::kMaxOutputs];       // (rows, outputs) of the last two layers, in turn
  int16_t quantized[kRows * router::kMaxQuantizedInputs];  // (rows, groups, kGroupInputs): a layer's inputs
  float scale[kRows];                                      // (rows) of `quantized`
};

void activate(float* x, int64_t size, router::Activation activation) {
  constexpr float kHalfSqrt2 = 0.70710678f;
  if (activation == router::Activation::kRelu) {
    for (int64_t i = 0; i < size; ++i) x[i] = x[i] < 0 ? 0 : x[i];  // NaN stays NaN
  } else if (activation == router::Activation::kGelu) {
    for (int64_t i = 0; i < size; ++i) x[i] = 0.5f * x[i] * (1.0f + std::erf(x[i] * kHalfSqrt2));
  }
}

// Without an exponential that could overflow.
float sigmoid(float x) {
  const float tail = std::exp(-std::abs(x));
  return (x < 0 ? tail : 1.0f) / (1.0f + tail);
}

// y = weight · x + bias
template <int64_t kRows>
void multiply(const router::Layer& layer, const float* x, float* y, RouterTile<kRows>& tile, int64_t rows,
              ParallelFor parallel_for, const Kernels& kernels) {
  const router::QuantizedWeights& quantized = layer.quantized;
  const int64_t groups = router::groups_of(layer.inputs);
  if (!quantized.values.empty()) {
    for (int64_t r = 0; r < rows; ++r) {
      int16_t* const out = tile.quantized + r * groups * router::kGroupInputs;
      tile.scale[r] = kernels.quantize_to_int16(x + r * layer.inputs, out, layer.inputs);
    }
  }
  for_ranges(parallel_for, layer.outputs, kOutputBlock, [&](int64_t first, int64_t last) {
    const float* const bias = layer.bias.data() + first;
    if (quantized.values.empty()) {
      kernels.dense(layer.weight.data() + first * layer.inputs, bias, x, y + first, rows, last - first, layer.inputs,
                    layer.outputs);
    } else {
      kernels.dense_int8(quantized.values.data() + first * groups * router::kGroupInputs,
                         quantized.scales.data() + first * groups, bias, tile.quantized, tile.scale, y + first, rows,
                         last - first, layer.inputs, layer.outputs);
    }
  });
}

// hardness[r] = sigmoid(mlp(feature[r])) for rows <= kRows.
template <int64_t kRows>
void route_rows(const router::Network& network, const float* feature, float* hardness, int64_t rows,
                ParallelFor parallel_for, const Kernels& kernels) {
  RouterTile<kRows> tile;
  const float* inputs = feature;
  float* outputs = tile.activations[0];
  for (const router::Layer& layer : network.layers) {
    multiply(layer, inputs, outputs, tile, rows, parallel_for, kernels);
    for (int64_t r = 0; r < rows; ++r) {
      float* row = outputs + r * layer.outputs;
      if (!layer.norm_weight.empty()) {
        kernels.layer_norm(row, layer.norm_weight.data(), layer.norm_bias.data(), layer.outputs, router::kNormEps);
      }
      activate(row, layer.outputs, layer.activation);
    }
    inputs = outputs;
    outputs = outputs == tile.activations[0] ? tile.activations[1] : tile.activations[0];
  }
  for (int64_t r = 0; r < rows; ++r) hardness[r] = sigmoid(inputs[r]);
}

}  // namespace

void guard_head(const float* x, const float* delta, const int32_t* row_offsets, const GuardHeadWeights& weights,
                float* feature, float* logits, float* hardness, int64_t rows, ParallelFor parallel_for,
                const Kernels& kernels) {
  const int64_t hidden = weights.hidden;
  const auto block = [&](int64_t first, int64_t last, ParallelFor inner) {
    for (int64_t r = first; r < last; ++r) {
      const int64_t token = (row_offsets[r + 1] - 1) * hidden;
      float* row = feature + r * hidden;
      kernels.add_rms_norm(x + token, delta + token, weights.final_norm, row, row, hidden, weights.eps);
    }
    kernels.dense(weights.verdict_rows, nullptr, feature + first * hidden, logits + first * weights.verdict_tokens,
                  last - first, weights.verdict_tokens, hidden, weights.verdict_tokens);
    if (weights.network) {
      route_rows<kRowBlock>(*weights.network, feature + first * hidden, hardness + first, last - first, inner, kernels);
    } else {
      std::fill(hardness + first, hardness + last, std::numeric_limits<float>::quiet_NaN());
    }
  };
  // A single block shares its layers out, several are shared out whole.
  if (rows <= kRowBlock) {
    block(0, rows, parallel_for);
  } else {
    for_ranges(parallel_for, rows, kRowBlock, [&](int64_t first, int64_t last) { block(first, last, serial()); });
  }
}

void route(const router::Network& network, const float* features, float* hardness, int64_t rows,
           ParallelFor parallel_for, const Kernels& kernels) {
  for_ranges(parallel_for, rows, kRowBlock, [&](int64_t first, int64_t last) {
    route_rows<kRowBlock>(network, features + first * network.input_size(), hardness + first, last - first, serial(),
                          kernels);
  });
}

float route(const router::Network& network, const float* feature, ParallelFor parallel_for, const Kernels& kernels) {
  float hardness;
  route_rows<1>(network, feature, &hardness, 1, parallel_for, kernels);
  return hardness;
}

}  // namespace saferoute::cpu
