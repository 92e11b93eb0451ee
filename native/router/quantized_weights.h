// A router's weights in int8, for guards that are rounded themselves: they are a quarter as long to read, and reading
// them is what a router's time goes into.
#pragma once

#include <cstddef>
#include <cstdint>

#include "router/network.h"

namespace saferoute::router {

// A layer keeps its f32 weights where rounding would move them by more than this, root mean square over root mean
// square: where a few weights dwarf the others of their groups. Normally distributed ones move by 0.006, those of the
// embedded pair by 0.005.
inline constexpr double kMaxQuantizationError = 0x1p-6;

// So does a layer of fewer weights, which fits the first-level cache as it is, the one that ends a network among them;
inline constexpr size_t kMinQuantizedWeights = 4096;
// and one of more inputs, since kernels hold a quantised input in a tile of a fixed size.
inline constexpr int32_t kMaxQuantizedInputs = 8192;

// Replaces `weight` by `quantized` where int8 serves. Symmetric, with a scale to each group of an output's inputs:
// value = weight / scale to nearest even, scale = max|weight| / 127.
void quantize_weights(Network& network);

}  // namespace saferoute::router
