#include "cuda/weight_layout.h"

#include "engine/backend.h"

namespace saferoute::cuda {
namespace {

constexpr int64_t kF32 = 4;  // bytes of an element
constexpr int64_t kBf16 = 2;
constexpr int64_t kFp8 = 1;

MatrixExtent place_matrix(BlockLayout& block, int32_t outputs, int32_t inputs, Precision precision) {
  const bool fp8 = precision == Precision::kFp8;
  MatrixExtent matrix{.values = {}, .scales = {}, .outputs = outputs, .inputs = inputs};
  matrix.values = block.place(static_cast<int64_t>(outputs) * inputs, fp8 ? kFp8 : kBf16);
  if (fp8) matrix.scales = block.place(outputs, kF32);
  return matrix;
}

}  // namespace

Extent BlockLayout::place(uint64_t bytes) {
  const Extent extent{.offset = bytes_, .bytes = bytes};
  bytes_ += aligned(bytes);
  return extent;
}

LayerLayout layer_layout(const model::ModelSpec& spec, Precision precision) {
  BlockLayout block;
  LayerLayout layout;
  layout.input_norm = block.place(spec.hidden_size, kF32);
  if (spec.qk_norm) {
    layout.q_norm = block.place(spec.head_dim, kF32);
    layout.k_norm = block.place(spec.head_dim, kF32);
  }
  layout.post_norm = block.place(spec.hidden_size, kF32);
  layout.qkv = place_matrix(block, spec.qkv_size(), spec.hidden_size, precision);
  layout.output = place_matrix(block, spec.hidden_size, spec.query_size(), precision);
  layout.gate_up = place_matrix(block, 2 * spec.intermediate_size, spec.hidden_size, precision);
  layout.down = place_matrix(block, spec.hidden_size, spec.intermediate_size, precision);
  layout.bytes = block.bytes();
  return layout;
}

HeadLayout head_layout(const model::ModelSpec& spec, int32_t verdict_tokens, int64_t router_bytes) {
  BlockLayout block;
  HeadLayout layout;
  layout.inverse_frequency = block.place(spec.head_dim / 2, kF32);
  layout.final_norm = block.place(spec.hidden_size, kF32);
  layout.verdict_rows = block.place(static_cast<int64_t>(verdict_tokens) * spec.hidden_size, kBf16);
  layout.router = block.place(router_bytes, 1);
  layout.bytes = block.bytes();
  return layout;
}

uint64_t embedding_bytes(const model::ModelSpec& spec) {
  return static_cast<uint64_t>(spec.vocab_size) * static_cast<uint64_t>(spec.hidden_size) * kBf16;
}

uint64_t kv_page_bytes(const model::ModelSpec& spec) {
  return static_cast<uint64_t>(spec.layers) * 2 * static_cast<uint64_t>(spec.kv_size()) * engine::kPageTokens * kBf16;
}

}  // namespace saferoute::cuda
