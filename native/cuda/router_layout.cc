#include "cuda/router_layout.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "engine/error.h"

namespace saferoute::cuda {
namespace {

constexpr int64_t kAlignment = 16;
constexpr int32_t kRowPadding = 32;  // rows of scratch come in tiles of the kernel

template <typename T>
T round_up(T value, T multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// Nearest bf16, ties to even.
uint16_t to_bf16(float value, const char* what, size_t index) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto rounded = static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
  if ((rounded & 0x7f80) == 0x7f80) {
    throw Error(ErrorCode::kNotFinite, "router: " + std::string(what) + " " + std::to_string(index) + " is " +
                                           std::to_string(value) + ", beyond what bf16 holds");
  }
  return rounded;
}

void write_floats(std::span<const float> values, std::byte* to) { std::memcpy(to, values.data(), values.size_bytes()); }

void pack_layer(const router::Layer& layer, const RouterLayerLayout& layout, std::byte* block) {
  const auto inputs = static_cast<size_t>(layer.inputs);
  for (size_t i = 0; i < layer.weight.size(); ++i) {
    const uint16_t bits = to_bf16(layer.weight[i], "weight", i);
    const int64_t at =
        packed_weight_index(static_cast<int32_t>(i / inputs), static_cast<int32_t>(i % inputs), layout.inputs);
    std::memcpy(block + layout.weight_at + at * 2, &bits, sizeof bits);
  }
  write_floats(layer.bias, block + layout.bias_at);
  if (!layout.layer_norm) return;
  write_floats(layer.norm_weight, block + layout.norm_weight_at);
  write_floats(layer.norm_bias, block + layout.norm_bias_at);
}

}  // namespace

RouterLayout plan_router(const router::Network& network) {
  const auto count = static_cast<int32_t>(network.layers.size());
  if (count == 0 || count > kMaxRouterLayers) {
    throw Error(ErrorCode::kUnsupported, "router: has " + std::to_string(count) +
                                             " layers, the CUDA device takes 1 to " + std::to_string(kMaxRouterLayers));
  }
  for (int32_t l = 0; l < count; ++l) {
    const router::Layer& layer = network.layers[static_cast<size_t>(l)];
    if (layer.norm_weight.empty()) continue;
    const bool is_last = l + 1 == count;
    if (!is_last && layer.activation != router::Activation::kGelu) continue;
    throw Error(ErrorCode::kUnsupported, "router: layer " + std::to_string(l) + " has a layer norm " +
                                             (is_last ? "and is the last" : "before a GELU") +
                                             ", which the CUDA device does not take");
  }
  RouterLayout layout;
  const auto take = [&](int64_t bytes) {
    const int64_t at = layout.bytes;
    layout.bytes += round_up(bytes, kAlignment);
    return at;
  };
  for (const router::Layer& layer : network.layers) {
    RouterLayerLayout& to = layout.layers.emplace_back();
    to.inputs = round_up(layer.inputs, kRouterChunk);
    to.outputs = round_up(layer.outputs, kRouterChunk);
    to.activation = layer.activation;
    to.layer_norm = !layer.norm_weight.empty();
    to.norm_size = layer.outputs;
    to.weight_at = take(static_cast<int64_t>(to.inputs) * to.outputs * 2);
    to.bias_at = take(to.outputs * 4);
    if (to.layer_norm) {
      to.norm_weight_at = take(to.outputs * 4);
      to.norm_bias_at = take(to.outputs * 4);
    }
  }
  return layout;
}

void pack_router(const router::Network& network, const RouterLayout& layout, std::span<std::byte> block) {
  if (static_cast<int64_t>(block.size()) != layout.bytes) {
    throw Error(ErrorCode::kInvalidArgument,
                "router: " + std::to_string(block.size()) + " bytes for a layout of " + std::to_string(layout.bytes));
  }
  std::ranges::fill(block, std::byte{0});
  for (size_t l = 0; l < layout.layers.size(); ++l) pack_layer(network.layers[l], layout.layers[l], block.data());
}

int64_t activations_at(const RouterLayout& layout, int32_t hidden, int32_t rows, int32_t layer) {
  const int64_t padded_rows = round_up(std::min(rows, kMaxHeadRows), kRowPadding);
  int64_t at = kGuardHeadSyncBytes;
  if (layer > 0) at += padded_rows * round_up(hidden, kRouterChunk) * 2;
  for (int32_t l = 0; l + 1 < layer; ++l) {
    const RouterLayerLayout& before = layout.layers[static_cast<size_t>(l)];
    at += padded_rows * before.outputs * (before.layer_norm ? 4 : 2);
  }
  return at;
}

int64_t guard_head_scratch_bytes(const RouterLayout& layout, int32_t hidden, int32_t rows) {
  // What the last layer makes is written out, so the scratch ends where its outputs would begin.
  const auto layers = static_cast<int32_t>(layout.layers.size());
  return layers == 0 ? kGuardHeadSyncBytes : activations_at(layout, hidden, rows, layers);
}

}  // namespace saferoute::cuda
