// Routers of random weights, in the shapes of the two published networks and narrower.
#pragma once

#include <cmath>

#include "cuda/bf16_values.h"
#include "router/network.h"

namespace saferoute::cuda {

// Weights that bf16 holds exactly, so that a reference in f32 computes with the same ones.
inline router::Layer random_layer(int32_t inputs, int32_t outputs, bool layer_norm, router::Activation activation,
                                  unsigned seed) {
  router::Layer layer;
  layer.inputs = inputs;
  layer.outputs = outputs;
  layer.weight = rounded_to_bf16(
      random_floats(static_cast<size_t>(inputs) * outputs, seed, 1.0f / std::sqrt(static_cast<float>(inputs))));
  layer.bias = random_floats(outputs, seed + 1, 0.1f);
  if (layer_norm) {
    layer.norm_weight = random_floats(outputs, seed + 2);
    layer.norm_bias = random_floats(outputs, seed + 3);
  }
  layer.activation = activation;
  return layer;
}

inline router::Network layer_norm_router(int32_t inputs, int32_t width = 129) {
  using router::Activation;
  return {{random_layer(inputs, width, true, Activation::kRelu, 10),
           random_layer(width, width, true, Activation::kRelu, 20),
           random_layer(width, 1, false, Activation::kNone, 30)}};
}

inline router::Network gelu_router(int32_t inputs, int32_t first = 256, int32_t second = 70, int32_t third = 33) {
  using router::Activation;
  return {{random_layer(inputs, first, false, Activation::kGelu, 40),
           random_layer(first, second, false, Activation::kGelu, 50),
           random_layer(second, third, false, Activation::kGelu, 60),
           random_layer(third, 1, false, Activation::kNone, 70)}};
}

inline router::Network official_router() { return layer_norm_router(2048, 512); }
inline router::Network card_router() { return gelu_router(2048, 1024, 512, 256); }

}  // namespace saferoute::cuda
