#include "ort/int8_decoder_graph.h"

#include <string>
#include <utility>
#include <vector>

#include "cpu/int8_gate_up.h"
#include "cpu/int8_matmul.h"
#include "cpu/quantized_rows.h"
#include "ort/decoder_graph.h"

namespace saferoute::ort {
namespace {

constexpr const char* kZeroPoint = "zero_point";  // u8 (): of every activation

// Names of quantised activations.
struct Quantized {
  std::string values;
  std::string scale;
};

// Names of a GEMM's outcome and of what makes it f32; empty names for none.
struct Sums {
  std::string sums;
  std::string token_scale;
  std::string weight_scale;
};

// The residual stream: `sum` is what the layers before have added up, `delta` what is still to be added; no delta at
// the start.
struct Stream {
  std::string sum;
  Sums delta;
};

// One layer of the decoder under construction; its values and nodes are named "layers.<index>.<what>".
class LayerBuilder {
 public:
  LayerBuilder(GraphBuilder& graph, const model::ModelSpec& spec, Int8Product product, cpu::ParallelFor parallel_for,
               int32_t index, model::Int8LayerWeights weights)
      : graph_(graph),
        spec_(spec),
        product_(product),
        parallel_for_(parallel_for),
        index_(index),
        prefix_("layers." + std::to_string(index) + "."),
        weights_(std::move(weights)) {}

  Stream add(const Stream& in, bool last) {
    Quantized attended = attention(norm("input_norm", std::move(weights_.input_norm), in));
    std::string residual = sum_;
    if (last) {
      // Only the last token of a row reaches the head, so the rest of the last layer is computed for that one alone.
      attended = {gather("attention.last", attended.values), gather("attention.scale.last", attended.scale)};
      residual = gather("residual.last", residual);
    }
    const Sums delta = linear("output", attended, std::move(weights_.output), spec_.hidden_size, spec_.query_size());
    const Sums mlp_out = mlp(norm("post_norm", std::move(weights_.post_norm), {residual, delta}));
    return {sum_, mlp_out};
  }

 private:
  std::string name(const char* what) const { return prefix_ + what; }

  // Adds `in` up into sum_ and returns its norm.
  Quantized norm(const char* what, std::vector<float> weight, const Stream& in) {
    const std::string gain = graph_.weight(name(what) + ".weight", std::move(weight), {spec_.hidden_size});
    const Quantized normed{name(what), name(what) + ".scale"};
    if (in.delta.sums.empty()) {
      sum_ = in.sum;
      graph_.op("RmsNormQuantize", normed.values, {in.sum, gain}, {normed.values, normed.scale});
    } else {
      sum_ = normed.values + ".sum";
      graph_.op("AddRmsNormQuantize", normed.values,
                {in.sum, in.delta.sums, in.delta.token_scale, in.delta.weight_scale, gain},
                {sum_, normed.values, normed.scale});
    }
    return normed;
  }

  Quantized attention(const Quantized& x) {
    const Sums qkv = linear("qkv", x, std::move(weights_.qkv), spec_.qkv_size(), spec_.hidden_size);
    std::vector<std::string> inputs{qkv.sums, qkv.token_scale, qkv.weight_scale, kCosSin,
                                    graph_.weight(name("index"), std::vector{index_}, {1})};
    if (spec_.qk_norm) {
      inputs.push_back(graph_.weight(name("q_norm.weight"), std::move(weights_.q_norm), {spec_.head_dim}));
      inputs.push_back(graph_.weight(name("k_norm.weight"), std::move(weights_.k_norm), {spec_.head_dim}));
    }
    const Quantized attended{name("attention"), name("attention.scale")};
    graph_.op("PagedAttentionQuantized", attended.values, inputs, {attended.values, attended.scale});
    return attended;
  }

  Sums mlp(const Quantized& x) {
    const Quantized activated{name("swiglu"), name("swiglu.scale")};
    if (product_ == Int8Product::kTiles) {
      gate_up_in_tiles(x, activated);
    } else {
      const int64_t outputs = 2 * static_cast<int64_t>(spec_.intermediate_size);
      const Sums gate_up = linear("gate_up", x, std::move(weights_.gate_up), outputs, spec_.hidden_size);
      graph_.op("SwiGluQuantize", activated.values, {gate_up.sums, gate_up.token_scale, gate_up.weight_scale},
                {activated.values, activated.scale});
    }
    return linear("down", activated, std::move(weights_.down), spec_.hidden_size, spec_.intermediate_size);
  }

  void gate_up_in_tiles(const Quantized& x, const Quantized& activated) {
    const std::string out = name("gate_up");
    const int64_t intermediate = spec_.intermediate_size;
    AnonymousMemory packed(static_cast<uint64_t>(cpu::packed_gate_up_bytes(intermediate, spec_.hidden_size)));
    cpu::pack_gate_up(weights_.gate_up.values.data(), packed.data(), intermediate, spec_.hidden_size, parallel_for_);
    const std::string weight_scale =
        graph_.weight(out + ".weight_scale", std::move(weights_.gate_up.scales), {2 * intermediate});
    graph_.op("GateUpSwiGlu", activated.values,
              {x.values, x.scale, graph_.weight(out + ".packed", std::move(packed)), weight_scale},
              {activated.values, activated.scale});
  }

  Sums linear(const char* what, const Quantized& x, model::Int8Matrix matrix, int64_t outputs, int64_t inputs) {
    const std::string out = name(what);
    const std::string weight_scale = graph_.weight(out + ".weight_scale", std::move(matrix.scales), {outputs});
    if (product_ == Int8Product::kTiles) {
      AnonymousMemory packed(static_cast<uint64_t>(cpu::packed_int8_bytes(outputs, inputs)));
      cpu::pack_int8(matrix.values.data(), packed.data(), outputs, inputs, parallel_for_);
      const std::vector shape{static_cast<int32_t>(outputs), static_cast<int32_t>(inputs)};
      graph_.op(
          "Int8MatMul", out,
          {x.values, graph_.weight(out + ".packed", std::move(packed)), graph_.weight(out + ".shape", shape, {2})},
          {out});
    } else {
      const std::string weight = graph_.weight(out + ".weight", std::move(matrix.values), {inputs, outputs});
      graph_.linear_integer(out, x.values, weight, kZeroPoint, out);
    }
    return {out, x.scale, weight_scale};
  }

  std::string gather(const char* what, const std::string& x) {
    const std::string out = name(what);
    graph_.gather_rows(out, x, kLastTokens, out);
    return out;
  }

  GraphBuilder& graph_;
  const model::ModelSpec& spec_;
  Int8Product product_;
  cpu::ParallelFor parallel_for_;
  int32_t index_;
  std::string prefix_;
  model::Int8LayerWeights weights_;
  std::string sum_;  // the residual stream's value after the last norm
};

}  // namespace

void build_int8_decoder(GraphBuilder& graph, const model::ModelSpec& spec, int64_t verdict_tokens, Int8Product product,
                        cpu::ParallelFor parallel_for,
                        const std::function<model::Int8LayerWeights(int32_t layer)>& load_layer) {
  declare_interface(graph, spec, verdict_tokens);
  graph.weight(kZeroPoint, std::vector{cpu::kActivationZeroPoint}, {});
  Stream stream{kHidden, {}};
  for (int32_t layer = 0; layer < spec.layers; ++layer) {
    LayerBuilder builder(graph, spec, product, parallel_for, layer, load_layer(layer));
    stream = builder.add(stream, layer + 1 == spec.layers);
  }
  const Sums& delta = stream.delta;
  graph.op("Dequantize", "delta", {delta.sums, delta.token_scale, delta.weight_scale}, {"delta"});
  add_head(graph, stream.sum, "delta");
}

}  // namespace saferoute::ort
