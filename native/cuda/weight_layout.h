// Where a guard's weights lie in memory, as numbers: every layer is one block of the same layout, so that a layer can
// be copied to the device as a whole; what belongs to no layer is a block of its own. The same on the device and in
// pinned memory. Plain C++, no header of CUDA.
#pragma once

#include <cstdint>

#include "cuda/precision.h"
#include "model/model_spec.h"

namespace saferoute::cuda {

// Of every buffer in device memory, bytes: what vector loads and the tensor copy engine ask for.
inline constexpr uint64_t kDeviceAlignment = 256;

constexpr uint64_t aligned(uint64_t bytes) {
  return (bytes + kDeviceAlignment - 1) / kDeviceAlignment * kDeviceAlignment;
}

// A buffer within a block; its offset is a multiple of kDeviceAlignment.
struct Extent {
  uint64_t offset = 0;  // bytes from the start of the block
  uint64_t bytes = 0;   // 0: the guard has no such buffer
};

// Places buffers one behind another.
class BlockLayout {
 public:
  Extent place(uint64_t bytes);
  Extent place(int64_t elements, int64_t element_bytes) {
    return place(static_cast<uint64_t>(elements * element_bytes));
  }
  uint64_t bytes() const { return bytes_; }

 private:
  uint64_t bytes_ = 0;
};

struct MatrixExtent {
  Extent values;  // (outputs, inputs), bf16 or FP8
  Extent scales;  // (outputs), f32; FP8 only
  int32_t outputs = 0;
  int32_t inputs = 0;
};

struct LayerLayout {
  Extent input_norm;  // (hidden), f32
  Extent q_norm;      // (head_dim), f32; empty without qk-norm
  Extent k_norm;      // (head_dim), f32; empty without qk-norm
  Extent post_norm;   // (hidden), f32
  MatrixExtent qkv;
  MatrixExtent output;
  MatrixExtent gate_up;
  MatrixExtent down;
  uint64_t bytes = 0;  // of the block
};

LayerLayout layer_layout(const model::ModelSpec& spec, Precision precision);

// What guard_head reads, and the frequencies of rope.
struct HeadLayout {
  Extent inverse_frequency;  // (head_dim / 2), f32
  Extent final_norm;         // (hidden), f32
  Extent verdict_rows;       // (verdict_tokens, hidden), bf16
  Extent router;             // packed; empty without a router
  uint64_t bytes = 0;        // of the block
};

// `router_bytes`: RouterLayout::bytes, 0 without a router.
HeadLayout head_layout(const model::ModelSpec& spec, int32_t verdict_tokens, int64_t router_bytes);

// (vocab, hidden), bf16
uint64_t embedding_bytes(const model::ModelSpec& spec);

// All layers' keys and values of a page, bf16.
uint64_t kv_page_bytes(const model::ModelSpec& spec);

}  // namespace saferoute::cuda
