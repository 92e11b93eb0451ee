#include "model/layer_reader.h"

#include <algorithm>
#include <array>

#include "engine/error.h"
#include "model/weights.h"

namespace saferoute::model {

int64_t StackedWeight::outputs() const {
  int64_t outputs = 0;
  for (const Projection& projection : projections) outputs += projection.outputs;
  return outputs;
}

LayerMatrices layer_matrices(const ModelSpec& spec) {
  const int64_t hidden = spec.hidden_size;
  const int64_t query = spec.query_size();
  const int64_t kv = spec.kv_size();
  const int64_t intermediate = spec.intermediate_size;
  return {
      .qkv = {{{"self_attn.q_proj", query}, {"self_attn.k_proj", kv}, {"self_attn.v_proj", kv}}, hidden},
      .output = {{{"self_attn.o_proj", hidden}}, query},
      .gate_up = {{{"mlp.gate_proj", intermediate}, {"mlp.up_proj", intermediate}}, hidden},
      .down = {{{"mlp.down_proj", hidden}}, intermediate},
  };
}

LayerReader::LayerReader(const TensorTable& table, int32_t index)
    : table_(table), prefix_("model.layers." + std::to_string(index) + ".") {}

TensorView LayerReader::require(const Projection& projection, int64_t inputs) const {
  return table_.require(prefix_ + projection.name + ".weight", std::array{projection.outputs, inputs});
}

std::vector<float> LayerReader::vector(const std::string& name, int64_t size) const {
  const TensorView view = table_.require(prefix_ + name, std::array{size});
  std::vector<float> out(static_cast<size_t>(size));
  convert_to_f32(view, 0, out);
  table_.release(view);
  return out;
}

std::vector<float> LayerReader::matrix(const StackedWeight& weight) const {
  std::vector<float> out(static_cast<size_t>(weight.outputs() * weight.inputs));
  std::span<float> rest = out;
  for (const Projection& projection : weight.projections) {
    const TensorView view = require(projection, weight.inputs);
    const auto elements = static_cast<size_t>(view.elements());
    convert_to_f32(view, 0, rest.first(elements));
    table_.release(view);
    rest = rest.subspan(elements);
  }
  return out;
}

void LayerReader::for_each_block(const StackedWeight& weight, int64_t block_rows, const VisitRows& visit) const {
  std::vector<float> block(static_cast<size_t>(block_rows * weight.inputs));
  int64_t above = 0;  // rows of the projections before this one
  for (const Projection& projection : weight.projections) {
    const TensorView view = require(projection, weight.inputs);
    for (int64_t row = 0; row < projection.outputs; row += block_rows) {
      const int64_t rows = std::min(block_rows, projection.outputs - row);
      const std::span<float> out = std::span(block).first(static_cast<size_t>(rows * weight.inputs));
      convert_to_f32(view, row * weight.inputs, out);
      visit(above + row, out);
    }
    table_.release(view);
    above += projection.outputs;
  }
}

void LayerReader::refuse(const std::string& name) const {
  if (!table_.contains(prefix_ + name)) return;
  throw Error(ErrorCode::kUnsupported, "tensor '" + prefix_ + name + "' is not part of the declared architecture");
}

}  // namespace saferoute::model
