// The router as guard_head reads it: one block of bytes, packed on the host in the order in which tensor cores take
// weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "router/network.h"

namespace saferoute::cuda {

inline constexpr int32_t kMaxRouterLayers = 8;

// Inputs are padded to whole chunks, outputs to whole padded inputs of the next layer; padding is zero.
inline constexpr int32_t kRouterChunk = 32;

// Where a layer's parts lie, in bytes from the beginning of the block; multiples of 16.
struct RouterLayerLayout {
  int32_t inputs = 0;   // padded
  int32_t outputs = 0;  // padded
  router::Activation activation = router::Activation::kNone;
  bool layer_norm = false;
  int32_t norm_size = 0;       // outputs without padding: what the layer norm's mean is over
  int64_t weight_at = 0;       // bf16 (outputs, inputs), in the order of packed_weight_index()
  int64_t bias_at = 0;         // f32 (outputs)
  int64_t norm_weight_at = 0;  // f32 (outputs), where layer_norm
  int64_t norm_bias_at = 0;    // f32 (outputs), where layer_norm
};

struct RouterLayout {
  std::vector<RouterLayerLayout> layers;  // empty where there is no router
  int64_t bytes = 0;
};

// Throws Error(kUnsupported) for a network of more than kMaxRouterLayers, with a layer norm behind its last layer, or
// with a GELU behind a layer norm: the two published networks have neither.
RouterLayout plan_router(const router::Network& network);

// Writes `network` to `block` (layout.bytes). Throws Error(kNotFinite) for a weight that bf16 cannot hold.
void pack_router(const router::Network& network, const RouterLayout& layout, std::span<std::byte> block);

// Element of the packed weights that is (output, input) of a layer. Blocks of 8 outputs by 32 inputs: lane g * 4 + t of
// a warp holds inputs 8t .. 8t + 7 of output g, so that a warp reads 512 bytes on end, and what a lane reads are its
// operands of two mma.m16n8k16 instructions. Those take inputs in another order than memory has them in, but
// activations are read in the same one.
constexpr int64_t packed_weight_index(int32_t output, int32_t input, int32_t inputs) {
  const int64_t block = static_cast<int64_t>(output / 8) * (inputs / kRouterChunk) + input / kRouterChunk;
  const int32_t lane = output % 8 * 4 + input % kRouterChunk / 8;
  return (block * 32 + lane) * 8 + input % 8;
}

// Rows that one launch of guard_head takes.
inline constexpr int32_t kMaxHeadRows = 256;

// At the beginning of guard_head's scratch: zero before the first launch, and left zero by each.
inline constexpr int64_t kGuardHeadSyncBytes = 512;

// Byte of the scratch at which what `layer` reads begins: the features of the rows for layer 0, outputs of the layer
// before for the others, as f32 where a layer norm is still to come and as bf16 elsewhere.
int64_t activations_at(const RouterLayout& layout, int32_t hidden, int32_t rows, int32_t layer);

// Bytes of scratch that guard_head needs for up to `rows` rows of a guard of this width.
int64_t guard_head_scratch_bytes(const RouterLayout& layout, int32_t hidden, int32_t rows);

}  // namespace saferoute::cuda
