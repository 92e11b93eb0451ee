#include "cuda/weight_packing.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "engine/error.h"
#include "model/layer_reader.h"
#include "model/rope_frequencies.h"
#include "model/weights.h"

namespace saferoute::cuda {
namespace {

constexpr float kFp8Largest = 448.0f;
constexpr uint32_t kFp8LargestBits = 0x7e;

uint16_t bf16_bits(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

// Both kinds of result are computed and one is taken, so that the loop around this becomes vector code.
uint8_t fp8_bits(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t sign = (bits >> 24) & 0x80u;
  const uint32_t magnitude = bits & 0x7fffffffu;
  constexpr uint32_t kRebias = (127u - 7u) << 3;  // in units of the exponent's place in e4m3
  const uint32_t normal = ((magnitude + 0x7ffffu + ((magnitude >> 20) & 1u)) >> 20) - kRebias;
  // Below 2^-6 the step is 2^-9, which is that of f32 from 2^14 on: the addition rounds to it.
  constexpr float kStepIsUnit = 0x1p14f;
  const uint32_t subnormal =
      std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + kStepIsUnit) - std::bit_cast<uint32_t>(kStepIsUnit);
  const uint32_t rounded = magnitude < std::bit_cast<uint32_t>(0x1p-6f) ? subnormal : normal;
  return static_cast<uint8_t>(sign | std::min(rounded, kFp8LargestBits));
}

void put_bytes(BlockSink& sink, uint64_t offset, const void* source, uint64_t bytes) {
  const auto* from = static_cast<const std::byte*>(source);
  for (uint64_t done = 0; done < bytes; done += kPackPieceBytes) {
    const uint64_t piece = std::min(kPackPieceBytes, bytes - done);
    std::memcpy(sink.next(offset + done, piece).data(), from + done, piece);
  }
}

void put_floats(BlockSink& sink, const Extent& extent, const std::vector<float>& values) {
  if (extent.bytes > 0) put_bytes(sink, extent.offset, values.data(), values.size() * sizeof(float));
}

uint16_t* as_bf16(std::span<std::byte> room) { return reinterpret_cast<uint16_t*>(room.data()); }

// Rows that are converted at a time: their f32 form stays in the second-level cache, and a piece holds them.
int64_t block_rows(int64_t inputs) {
  constexpr int64_t kBlockBytes = 1 << 20;
  return std::max<int64_t>(1, kBlockBytes / (inputs * static_cast<int64_t>(sizeof(float))));
}

void pack_bf16_matrix(const model::LayerReader& reader, const model::StackedWeight& weight, const Extent& values,
                      BlockSink& sink) {
  reader.for_each_block(weight, block_rows(weight.inputs), [&](int64_t first_row, std::span<const float> rows) {
    const uint64_t offset = static_cast<uint64_t>(first_row * weight.inputs) * sizeof(uint16_t);
    uint16_t* const out = as_bf16(sink.next(values.offset + offset, rows.size() * sizeof(uint16_t)));
    round_to_bf16(rows, out, weight.projections.front().name);
  });
}

void pack_fp8_matrix(const model::LayerReader& reader, const model::StackedWeight& weight, const MatrixExtent& extent,
                     BlockSink& sink) {
  std::vector<float> scales(static_cast<size_t>(extent.outputs));
  const auto inputs = static_cast<size_t>(weight.inputs);
  reader.for_each_block(weight, block_rows(weight.inputs), [&](int64_t first_row, std::span<const float> rows) {
    const uint64_t offset = static_cast<uint64_t>(first_row) * inputs;
    auto* const out = reinterpret_cast<uint8_t*>(sink.next(extent.values.offset + offset, rows.size()).data());
    for (size_t row = 0; row * inputs < rows.size(); ++row) {
      scales[static_cast<size_t>(first_row) + row] =
          quantize_to_fp8(rows.subspan(row * inputs, inputs), out + row * inputs);
    }
  });
  put_floats(sink, extent.scales, scales);
}

}  // namespace

void round_to_bf16(std::span<const float> values, uint16_t* out, const char* what) {
  constexpr uint16_t kExponentMask = 0x7f80;
  uint32_t infinite = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const uint16_t bits = bf16_bits(values[i]);
    infinite |= (bits & kExponentMask) == kExponentMask;
    out[i] = bits;
  }
  if (infinite == 0) return;
  throw Error(ErrorCode::kNotFinite, std::string(what) + ": a weight is beyond the range of bf16");
}

float quantize_to_fp8(std::span<const float> row, uint8_t* out) {
  float largest = 0;
  for (const float value : row) largest = std::max(largest, std::abs(value));
  const float scale = largest > 0 ? largest / kFp8Largest : 1.0f;
  for (size_t i = 0; i < row.size(); ++i) out[i] = fp8_bits(row[i] / scale);
  return scale;
}

void pack_layer(const model::TensorTable& table, const model::ModelSpec& spec, Precision precision, int32_t index,
                BlockSink& sink) {
  const LayerLayout layout = layer_layout(spec, precision);
  const model::LayerWeights norms = model::load_layer_norms(table, spec, index);
  put_floats(sink, layout.input_norm, norms.input_norm);
  put_floats(sink, layout.q_norm, norms.q_norm);
  put_floats(sink, layout.k_norm, norms.k_norm);
  put_floats(sink, layout.post_norm, norms.post_norm);
  const model::LayerReader reader(table, index);
  const model::LayerMatrices matrices = model::layer_matrices(spec);
  const auto pack = [&](const model::StackedWeight& weight, const MatrixExtent& extent) {
    if (precision == Precision::kFp8) {
      pack_fp8_matrix(reader, weight, extent, sink);
    } else {
      pack_bf16_matrix(reader, weight, extent.values, sink);
    }
  };
  pack(matrices.qkv, layout.qkv);
  pack(matrices.output, layout.output);
  pack(matrices.gate_up, layout.gate_up);
  pack(matrices.down, layout.down);
}

void pack_head(const model::TensorTable& table, const model::ModelSpec& spec, std::span<const int32_t> verdict_ids,
               const router::Network* router, const RouterLayout& router_layout, BlockSink& sink) {
  const HeadLayout layout = head_layout(spec, static_cast<int32_t>(verdict_ids.size()), router_layout.bytes);
  put_floats(sink, layout.inverse_frequency, model::inverse_frequencies(spec));
  put_floats(sink, layout.final_norm, model::load_final_norm(table, spec));
  const std::vector<float> rows = model::load_head_rows(table, spec, verdict_ids);
  std::vector<uint16_t> rounded(rows.size());
  round_to_bf16(rows, rounded.data(), "the verdict tokens' rows of the lm_head");
  put_bytes(sink, layout.verdict_rows.offset, rounded.data(), rounded.size() * sizeof(uint16_t));
  if (router == nullptr) return;
  std::vector<std::byte> packed(layout.router.bytes);
  pack_router(*router, router_layout, packed);
  put_bytes(sink, layout.router.offset, packed.data(), packed.size());
}

void pack_embedding(const model::TensorTable& table, const model::ModelSpec& spec, BlockSink& sink) {
  const int64_t hidden = spec.hidden_size;
  const model::TensorView view =
      table.require("model.embed_tokens.weight", std::array<int64_t, 2>{spec.vocab_size, hidden});
  const int64_t most_rows = block_rows(hidden);
  std::vector<float> block(static_cast<size_t>(most_rows * hidden));
  for (int64_t row = 0; row < spec.vocab_size; row += most_rows) {
    const int64_t elements = std::min(most_rows, spec.vocab_size - row) * hidden;
    const std::span<float> rows = std::span(block).first(static_cast<size_t>(elements));
    model::convert_to_f32(view, row * hidden, rows);
    const uint64_t offset = static_cast<uint64_t>(row * hidden) * sizeof(uint16_t);
    round_to_bf16(rows, as_bf16(sink.next(offset, rows.size() * sizeof(uint16_t))), view.entry->name.c_str());
  }
  table.release(view);
}

}  // namespace saferoute::cuda
