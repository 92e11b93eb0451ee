#include "model/weights.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/error.h"
#include "model/conversion.h"
#include "model/layer_reader.h"

namespace saferoute::model {
namespace {

const char* head_name(const ModelSpec& spec) { return spec.tied_head ? "model.embed_tokens.weight" : "lm_head.weight"; }

}  // namespace

void convert_to_f32(const TensorView& view, std::span<float> out) {
  if (static_cast<int64_t>(out.size()) != view.elements()) {
    throw Error(ErrorCode::kInvalidArgument, "tensor '" + view.entry->name + "' has " +
                                                 std::to_string(view.elements()) + " elements, asked for " +
                                                 std::to_string(out.size()));
  }
  convert_to_f32(view, 0, out);
}

// In pieces that stay in the first-level cache between conversion and check.
void convert_to_f32(const TensorView& view, int64_t first, std::span<float> out) {
  constexpr size_t kPiece = 4096;
  const size_t width = dtype_bytes(view.entry->dtype);
  for (size_t done = 0; done < out.size(); done += kPiece) {
    const auto count = static_cast<int64_t>(std::min(kPiece, out.size() - done));
    const int64_t element = first + static_cast<int64_t>(done);
    convert_elements(view.entry->dtype, view.data + static_cast<size_t>(element) * width, out.data() + done, count);
    const int64_t bad = first_not_finite(out.data() + done, count);
    if (bad >= 0) {
      throw Error(ErrorCode::kNotFinite, "tensor '" + view.entry->name + "': element " + std::to_string(element + bad) +
                                             " is " +
                                             (std::isnan(out[done + static_cast<size_t>(bad)]) ? "NaN" : "infinite"));
    }
  }
}

LayerWeights load_layer_norms(const TensorTable& table, const ModelSpec& spec, int32_t index) {
  const LayerReader reader(table, index);
  for (const char* projection : {"q_proj", "k_proj", "v_proj", "o_proj"}) {
    reader.refuse(std::string("self_attn.") + projection + ".bias");
  }
  for (const char* projection : {"gate_proj", "up_proj", "down_proj"}) {
    reader.refuse(std::string("mlp.") + projection + ".bias");
  }
  LayerWeights layer;
  layer.input_norm = reader.vector("input_layernorm.weight", spec.hidden_size);
  if (spec.qk_norm) {
    layer.q_norm = reader.vector("self_attn.q_norm.weight", spec.head_dim);
    layer.k_norm = reader.vector("self_attn.k_norm.weight", spec.head_dim);
  } else {
    reader.refuse("self_attn.q_norm.weight");
    reader.refuse("self_attn.k_norm.weight");
  }
  layer.post_norm = reader.vector("post_attention_layernorm.weight", spec.hidden_size);
  return layer;
}

LayerWeights load_layer(const TensorTable& table, const ModelSpec& spec, int32_t index) {
  LayerWeights layer = load_layer_norms(table, spec, index);
  const LayerReader reader(table, index);
  const LayerMatrices matrices = layer_matrices(spec);
  layer.qkv = reader.matrix(matrices.qkv);
  layer.output = reader.matrix(matrices.output);
  layer.gate_up = reader.matrix(matrices.gate_up);
  layer.down = reader.matrix(matrices.down);
  return layer;
}

std::vector<float> load_final_norm(const TensorTable& table, const ModelSpec& spec) {
  const int64_t hidden = spec.hidden_size;
  std::vector<float> weight(static_cast<size_t>(hidden));
  convert_to_f32(table.require("model.norm.weight", std::array{hidden}), weight);
  return weight;
}

std::vector<float> load_head_rows(const TensorTable& table, const ModelSpec& spec, std::span<const int32_t> token_ids) {
  const int64_t hidden = spec.hidden_size;
  const TensorView head = table.require(head_name(spec), std::array<int64_t, 2>{spec.vocab_size, hidden});
  std::vector<float> rows(token_ids.size() * static_cast<size_t>(hidden));
  for (size_t i = 0; i < token_ids.size(); ++i) {
    const int64_t id = token_ids[i];
    if (id < 0 || id >= spec.vocab_size) {
      throw Error(
          ErrorCode::kInvalidArgument,
          "verdict token " + std::to_string(id) + " lies outside the vocabulary of " + std::to_string(spec.vocab_size));
    }
    convert_to_f32(head, id * hidden,
                   std::span(rows).subspan(i * static_cast<size_t>(hidden), static_cast<size_t>(hidden)));
  }
  return rows;
}

}  // namespace saferoute::model
