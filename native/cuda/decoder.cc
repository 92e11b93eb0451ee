#include "cuda/decoder.h"

#include <cmath>

#include "cuda/embedding.h"
#include "cuda/last_tokens.h"
#include "cuda/paged_attention.h"
#include "cuda/quantize.h"
#include "cuda/rms_norm.h"
#include "cuda/swiglu.h"
#include "engine/error.h"

namespace saferoute::cuda {

Decoder::Decoder(const model::ModelSpec& spec, const DecoderMemory& memory, DecoderLayers& layers, Gemm& gemm)
    : spec_(spec), memory_(memory), layers_(layers), gemm_(gemm) {}

Decoder::Operand Decoder::operand(const OperandExtent& extent, bool fp8) const {
  if (!fp8) return {.bf16 = at<Bf16>(extent.values), .fp8 = {}};
  return {.bf16 = nullptr, .fp8 = {.values = at<Fp8>(extent.values), .scales = at<float>(extent.scales)}};
}

void Decoder::multiply(const Operand& x, const Matrix& w, Bf16* out, int32_t rows, int32_t outputs, int32_t inputs,
                       cudaStream_t stream) const {
  if (w.is_fp8()) {
    gemm_.fp8(x.fp8.values, x.fp8.scales, w.fp8, w.fp8_scales, out, OutType::kBf16, rows, outputs, inputs, stream);
  } else {
    gemm_.bf16(x.bf16, w.bf16, out, OutType::kBf16, rows, outputs, inputs, stream);
  }
}

// Adds `delta` first, where there is one.
void Decoder::norm(float* residual, const Bf16* delta, const float* weight, const Operand& out, int32_t rows,
                   cudaStream_t stream) const {
  const int hidden = spec_.hidden_size;
  const float eps = spec_.rms_norm_eps;
  if (delta == nullptr) {
    if (out.bf16 != nullptr) {
      rms_norm(residual, weight, out.bf16, rows, hidden, eps, stream);
    } else {
      rms_norm(residual, weight, out.fp8, rows, hidden, eps, stream);
    }
  } else if (out.bf16 != nullptr) {
    add_rms_norm(residual, delta, weight, out.bf16, rows, hidden, eps, stream);
  } else {
    add_rms_norm(residual, delta, weight, out.fp8, rows, hidden, eps, stream);
  }
}

// From the residual stream to what its tokens attended to, in the last layer those at the end of a row. The first layer
// finds nothing to add to the stream yet.
void Decoder::attend(int32_t index, const DecoderLayer& layer, const BatchView& batch, int32_t max_keys, Bf16* out,
                     cudaStream_t stream) const {
  const PassBuffers& buffers = memory_.buffers;
  const Operand normed = operand(buffers.normed, layer.qkv.is_fp8());
  const Bf16* const delta = index == 0 ? nullptr : at<Bf16>(buffers.delta);
  norm(at<float>(buffers.residual), delta, layer.input_norm, normed, batch.token_count, stream);
  Bf16* const qkv = at<Bf16>(buffers.qkv);
  multiply(normed, layer.qkv, qkv, batch.token_count, spec_.qkv_size(), spec_.hidden_size, stream);
  const KvLayer kv{.base = memory_.kv + index * kv_layer_bytes(spec_.kv_heads, spec_.head_dim),
                   .page_bytes = memory_.page_bytes,
                   .kv_heads = spec_.kv_heads,
                   .head_dim = spec_.head_dim};
  const QkNorm qk_norm{.query_weight = layer.q_norm, .key_weight = layer.k_norm, .eps = spec_.rms_norm_eps};
  rope(qkv, at<float>(buffers.cos_sin), qk_norm, kv, batch, spec_.heads, stream);
  const bool is_last = index + 1 == spec_.layers;
  const AttentionParameters parameters{.heads = spec_.heads,
                                       .scale = 1.0f / std::sqrt(static_cast<float>(spec_.head_dim)),
                                       .max_keys = max_keys,
                                       .which = is_last ? AttentionQueries::kLastOfRow : AttentionQueries::kAll};
  paged_attention(qkv, kv, batch, parameters, at<float>(buffers.attention), out, stream);
}

// The output projection and the MLP; what the MLP adds to the stream stays in `delta`, for whoever reads it next.
void Decoder::finish_layer(const DecoderLayer& layer, const Rows& rows, cudaStream_t stream) const {
  const PassBuffers& buffers = memory_.buffers;
  const int32_t hidden = spec_.hidden_size;
  const int32_t intermediate = spec_.intermediate_size;
  Bf16* const delta = at<Bf16>(buffers.delta);
  Operand attended{.bf16 = rows.attended, .fp8 = {}};
  if (layer.output.is_fp8()) {
    attended = operand(buffers.attended_fp8, true);
    quantize(rows.attended, attended.fp8, rows.count, spec_.query_size(), stream);
  }
  multiply(attended, layer.output, delta, rows.count, hidden, spec_.query_size(), stream);
  const Operand normed = operand(buffers.normed, layer.gate_up.is_fp8());
  norm(rows.residual, delta, layer.post_norm, normed, rows.count, stream);
  Bf16* const gate_up = at<Bf16>(buffers.gate_up);
  multiply(normed, layer.gate_up, gate_up, rows.count, 2 * intermediate, hidden, stream);
  const Operand product = operand(buffers.product, layer.down.is_fp8());
  if (product.bf16 != nullptr) {
    swiglu(gate_up, product.bf16, rows.count, intermediate, stream);
  } else {
    swiglu(gate_up, product.fp8, rows.count, intermediate, stream);
  }
  multiply(product, layer.down, delta, rows.count, hidden, intermediate, stream);
}

void Decoder::launch(const BatchView& batch, int32_t max_keys, const HardRule& rule, std::stop_token stop,
                     cudaStream_t stream) const {
  const PassBuffers& buffers = memory_.buffers;
  const Rows all{
      .count = batch.token_count, .residual = at<float>(buffers.residual), .attended = at<Bf16>(buffers.attended)};
  const Rows last{.count = batch.row_count,
                  .residual = at<float>(buffers.last_residual),
                  .attended = at<Bf16>(buffers.last_attended)};
  embedding(batch.tokens, memory_.embedding, all.residual, batch.token_count, spec_.hidden_size, stream);
  rope_table(batch.positions, memory_.inverse_frequency, at<float>(buffers.cos_sin), batch.token_count, spec_.head_dim,
             stream);
  for (int32_t index = 0; index < spec_.layers; ++index) {
    if (stop.stop_requested()) throw Error(ErrorCode::kAborted, "the pass was stopped");
    const bool is_last = index + 1 == spec_.layers;
    const Rows& rows = is_last ? last : all;
    const DecoderLayer layer = layers_.acquire(index, stream);
    attend(index, layer, batch, max_keys, rows.attended, stream);
    if (is_last) {
      gather_last_tokens(all.residual, batch.row_offsets, last.residual, last.count, spec_.hidden_size, stream);
    }
    finish_layer(layer, rows, stream);
    layers_.release(index, stream);
  }
  const GuardHeadOutputs out{.feature = at<float>(buffers.features),
                             .logits = at<float>(buffers.logits),
                             .hardness = at<float>(buffers.hardness),
                             .hard = rule.threshold == nullptr ? nullptr : at<uint8_t>(buffers.hard)};
  guard_head(last.residual, at<Bf16>(buffers.delta), nullptr, memory_.head, rule, out, at<std::byte>(buffers.head),
             last.count, stream);
}

}  // namespace saferoute::cuda
