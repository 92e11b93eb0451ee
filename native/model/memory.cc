// What a guard takes, counted before anything of it is read.
#include <algorithm>
#include <array>

#include "engine/backend.h"
#include "model/weights.h"

namespace saferoute::model {
namespace {

constexpr uint64_t kF32 = sizeof(float);
constexpr uint64_t kI32 = sizeof(int32_t);
constexpr uint64_t kI8 = sizeof(int8_t);

// A GEMM's packed copy of a weight pads each side to the width of its register tile.
constexpr uint64_t kPackTile = 64;

struct MatrixShape {
  int64_t outputs;
  int64_t inputs;
};

uint64_t padded(int64_t size) { return (static_cast<uint64_t>(size) + kPackTile - 1) / kPackTile * kPackTile; }

uint64_t packed_bytes(const MatrixShape& matrix, WeightFormat format) {
  const uint64_t elements = padded(matrix.outputs) * padded(matrix.inputs);
  if (format == WeightFormat::kF32) return elements * kF32;
  return elements * kI8 + padded(matrix.outputs) * (kF32 + kI32);  // a scale and a sum per output channel
}

std::array<MatrixShape, 4> layer_matrices(const ModelSpec& spec) {
  const int64_t hidden = spec.hidden_size;
  const int64_t intermediate = spec.intermediate_size;
  return {{{spec.qkv_size(), hidden}, {hidden, spec.query_size()}, {2 * intermediate, hidden}, {hidden, intermediate}}};
}

uint64_t weight_bytes(const ModelSpec& spec, WeightFormat format) {
  const int64_t hidden = spec.hidden_size;
  uint64_t layer = static_cast<uint64_t>(2 * hidden + 2 * spec.head_dim) * kF32;  // norms
  for (const MatrixShape& matrix : layer_matrices(spec)) layer += packed_bytes(matrix, format);
  constexpr int64_t kHeadVectors = 16;  // final norm, at most eight verdict rows, row buffers
  return static_cast<uint64_t>(spec.layers) * layer + static_cast<uint64_t>(kHeadVectors * hidden) * kF32;
}

// While a matrix is being read the pages of its source, of f32 at most, stand beside it, and while it is being packed
// its packed copy does.
uint64_t load_peak_bytes(const ModelSpec& spec, WeightFormat format) {
  uint64_t source = 0;
  uint64_t packed = 0;
  for (const MatrixShape& matrix : layer_matrices(spec)) {
    source = std::max(source, packed_bytes(matrix, WeightFormat::kF32));
    packed = std::max(packed, packed_bytes(matrix, format));
  }
  return source + packed;
}

// Counted as if every buffer of a layer stood at once. The allocator re-uses a buffer as soon as its last reader is
// done, which leaves about a fifth of the sum as room for the rounding of its regions.
uint64_t token_bytes(const ModelSpec& spec, WeightFormat format) {
  const auto hidden = static_cast<uint64_t>(spec.hidden_size);
  const auto qkv = static_cast<uint64_t>(spec.qkv_size());
  const auto query = static_cast<uint64_t>(spec.query_size());
  const auto intermediate = static_cast<uint64_t>(spec.intermediate_size);
  const uint64_t shared = 2 * hidden * kF32 +                           // residual, its sum
                          2 * query * kF32 +                            // rotated queries, what they attended to
                          static_cast<uint64_t>(spec.head_dim) * kF32;  // rope table
  if (format == WeightFormat::kF32) {
    return shared + (2 * hidden +         // normed, branch output
                     qkv +                // as projected
                     3 * intermediate) *  // gate, up, their product
                        kF32;
  }
  constexpr uint64_t kScales = 3;  // of the quantised rows below
  return shared + kScales * kF32 +
         (hidden + query + intermediate) * kI8 +        // normed, attention output, product of gate and up
         (qkv + 2 * hidden + 2 * intermediate) * kI32;  // sums of the four products
}

}  // namespace

uint64_t MemoryEstimate::peak_bytes() const {
  return weight_bytes + std::max(load_peak_bytes, kv_bytes + activation_bytes);
}

// Weights stand once, packed. The embedding table and the rest of the head stay in their files.
MemoryEstimate estimate_memory(const ModelSpec& spec, WeightFormat format, int32_t batch_tokens, uint64_t kv_bytes) {
  const uint64_t page_bytes =
      static_cast<uint64_t>(spec.layers) * engine::kPageTokens * 2 * static_cast<uint64_t>(spec.kv_size()) * kF32;
  return {
      .weight_bytes = weight_bytes(spec, format),
      .kv_bytes = std::max(kv_bytes, page_bytes),
      .load_peak_bytes = load_peak_bytes(spec, format),
      .activation_bytes = static_cast<uint64_t>(batch_tokens) * token_bytes(spec, format),
  };
}

}  // namespace saferoute::model
