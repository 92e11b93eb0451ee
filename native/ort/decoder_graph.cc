#include "ort/decoder_graph.h"

#include <string>
#include <utility>

namespace saferoute::ort {
namespace {

// The residual stream: `sum` is what the layers before have added up, `delta` what is still to be added; no delta at
// the start.
struct Stream {
  std::string sum;
  std::string delta;
};

// One layer of the decoder under construction; its values and nodes are named "layers.<index>.<what>".
class LayerBuilder {
 public:
  LayerBuilder(GraphBuilder& graph, const model::ModelSpec& spec, int32_t index, model::LayerWeights weights)
      : graph_(graph),
        spec_(spec),
        index_(index),
        prefix_("layers." + std::to_string(index) + "."),
        weights_(std::move(weights)) {}

  Stream add(const Stream& in, bool last) {
    std::string attended = attention(norm("input_norm", std::move(weights_.input_norm), in));
    std::string residual = sum_;
    if (last) {
      // Only the last token of a row reaches the head, so the rest of the last layer is computed for that one alone.
      attended = gather("attention.last", attended);
      residual = gather("residual.last", residual);
    }
    const std::string delta =
        linear("output", attended, std::move(weights_.output), spec_.hidden_size, spec_.query_size());
    const std::string mlp_out = mlp(norm("post_norm", std::move(weights_.post_norm), {residual, delta}));
    return {sum_, mlp_out};
  }

 private:
  std::string name(const char* what) const { return prefix_ + what; }

  // Adds `in` up into sum_ and returns its norm.
  std::string norm(const char* what, std::vector<float> weight, const Stream& in) {
    const std::string scale = graph_.weight(name(what) + ".weight", std::move(weight), {spec_.hidden_size});
    const std::string normed = name(what);
    if (in.delta.empty()) {
      sum_ = in.sum;
      graph_.op("RmsNorm", normed, {in.sum, scale}, {normed});
    } else {
      sum_ = normed + ".sum";
      graph_.op("AddRmsNorm", normed, {in.sum, in.delta, scale}, {sum_, normed});
    }
    return normed;
  }

  std::string attention(const std::string& x) {
    const std::string qkv = linear("qkv", x, std::move(weights_.qkv), spec_.qkv_size(), spec_.hidden_size);
    std::vector<std::string> inputs{qkv, kCosSin, graph_.weight(name("index"), std::vector{index_}, {1})};
    if (spec_.qk_norm) {
      inputs.push_back(graph_.weight(name("q_norm.weight"), std::move(weights_.q_norm), {spec_.head_dim}));
      inputs.push_back(graph_.weight(name("k_norm.weight"), std::move(weights_.k_norm), {spec_.head_dim}));
    }
    const std::string attended = name("attention");
    graph_.op("PagedAttention", attended, inputs, {attended});
    return attended;
  }

  std::string mlp(const std::string& x) {
    const int64_t intermediate = spec_.intermediate_size;
    const std::string gate_up = linear("gate_up", x, std::move(weights_.gate_up), 2 * intermediate, spec_.hidden_size);
    const std::string activated = name("swiglu");
    graph_.op("SwiGlu", activated, {gate_up}, {activated});
    return linear("down", activated, std::move(weights_.down), spec_.hidden_size, intermediate);
  }

  std::string linear(const char* what, const std::string& x, std::vector<float> weight, int64_t outputs,
                     int64_t inputs) {
    const std::string out = name(what);
    graph_.linear(out, x, graph_.weight(out + ".weight", std::move(weight), {outputs, inputs}), out);
    return out;
  }

  std::string gather(const char* what, const std::string& x) {
    const std::string out = name(what);
    graph_.gather_rows(out, x, kLastTokens, out);
    return out;
  }

  GraphBuilder& graph_;
  const model::ModelSpec& spec_;
  int32_t index_;
  std::string prefix_;
  model::LayerWeights weights_;
  std::string sum_;  // the residual stream's value after the last norm
};

}  // namespace

void build_decoder(GraphBuilder& graph, const model::ModelSpec& spec, int64_t verdict_tokens,
                   const std::function<model::LayerWeights(int32_t layer)>& load_layer) {
  declare_interface(graph, spec, verdict_tokens);
  Stream stream{kHidden, ""};
  for (int32_t layer = 0; layer < spec.layers; ++layer) {
    stream = LayerBuilder(graph, spec, layer, load_layer(layer)).add(stream, layer + 1 == spec.layers);
  }
  add_head(graph, stream.sum, stream.delta);
}

void declare_interface(GraphBuilder& graph, const model::ModelSpec& spec, int64_t verdict_tokens) {
  graph.input(kHidden, ElementType::kFloat, {-1, spec.hidden_size});
  graph.input(kCosSin, ElementType::kFloat, {-1, spec.head_dim});
  graph.input(kLastTokens, ElementType::kInt32, {-1});
  graph.input(kHeadOffsets, ElementType::kInt32, {-1});
  graph.output(kLogits, ElementType::kFloat, {-1, verdict_tokens});
  graph.output(kHardness, ElementType::kFloat, {-1});
  graph.output(kFeature, ElementType::kFloat, {-1, spec.hidden_size});
}

void add_head(GraphBuilder& graph, const std::string& sum, const std::string& delta) {
  graph.op("GuardHead", "head", {sum, delta, kHeadOffsets}, {kLogits, kHardness, kFeature});
}

}  // namespace saferoute::ort
