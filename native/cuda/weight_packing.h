// A checkpoint's tensors as the bytes of the blocks that weight_layout.h describes. Plain C++, no header of CUDA.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "cuda/precision.h"
#include "cuda/router_layout.h"
#include "cuda/weight_layout.h"
#include "model/model_spec.h"
#include "model/tensor_table.h"
#include "router/network.h"

namespace saferoute::cuda {

// Most bytes that a packer asks a sink for at once.
inline constexpr uint64_t kPackPieceBytes = 8 << 20;

// Where a block's bytes go.
class BlockSink {
 public:
  virtual ~BlockSink() = default;

  // Room for [offset, offset + bytes) of the block, at most kPackPieceBytes of it; filled before the next call.
  virtual std::span<std::byte> next(uint64_t offset, uint64_t bytes) = 0;
};

// out[i] = values[i] to nearest even. Throws Error(kNotFinite) that names `what` for a value that becomes infinite.
void round_to_bf16(std::span<const float> values, uint16_t* out, const char* what);

// out[i] = row[i] / scale as e4m3 to nearest even; returns the scale: max |row| / 448, or 1 for a row of zeros. The row
// is finite.
float quantize_to_fp8(std::span<const float> row, uint8_t* out);

// Layer `index`, in pieces from the first byte to the last of each of its buffers; what lies between them for alignment
// is left as it is. Throws as model::load_layer, and releases the tensors' pages in their mapping.
void pack_layer(const model::TensorTable& table, const model::ModelSpec& spec, Precision precision, int32_t index,
                BlockSink& sink);

// What belongs to no layer. `router` may be null.
void pack_head(const model::TensorTable& table, const model::ModelSpec& spec, std::span<const int32_t> verdict_ids,
               const router::Network* router, const RouterLayout& router_layout, BlockSink& sink);

// The embedding table (vocab, hidden) in bf16.
void pack_embedding(const model::TensorTable& table, const model::ModelSpec& spec, BlockSink& sink);

}  // namespace saferoute::cuda
