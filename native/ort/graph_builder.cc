#include "ort/graph_builder.h"

#include <array>
#include <utility>

namespace saferoute::ort {
namespace {

// The model editor keeps smaller tensors inside the graph and refuses to reference them (ONNX shape inference reads
// them there).
constexpr size_t kLeastExternalBytes = 128;

std::vector<const char*> c_strings(const std::vector<std::string>& strings) {
  std::vector<const char*> pointers;
  pointers.reserve(strings.size());
  for (const std::string& string : strings) pointers.push_back(string.c_str());
  return pointers;
}

// Passes `values` to a function that takes ownership of them.
template <typename Set>
void hand_over(std::vector<Handle<OrtValueInfo>>& values, Set set) {
  std::vector<OrtValueInfo*> pointers;
  pointers.reserve(values.size());
  for (const auto& value : values) pointers.push_back(value.get());
  set(pointers);
  for (auto& value : values) static_cast<void>(value.release());
  values.clear();
}

}  // namespace

GraphBuilder::GraphBuilder(const Api& api, WeightStore& weights, const char* domain)
    : api_(api), weights_(weights), domain_(domain), graph_(api.create<OrtGraph>(kCreateGraph)) {}

Handle<OrtValueInfo> GraphBuilder::value_info(const char* name, ElementType type,
                                              std::span<const int64_t> shape) const {
  const auto tensor = api_.create<OrtTensorTypeAndShapeInfo>(kCreateTensorTypeAndShapeInfo);
  api_(kSetTensorElementType, tensor.get(), type);
  api_(kSetDimensions, tensor.get(), shape.data(), shape.size());
  const auto type_info = api_.create<OrtTypeInfo>(kCreateTensorTypeInfo, tensor.get());
  return api_.create<OrtValueInfo>(kCreateValueInfo, name, type_info.get());
}

void GraphBuilder::input(const char* name, ElementType type, std::initializer_list<int64_t> shape) {
  inputs_.push_back(value_info(name, type, shape));
}

void GraphBuilder::output(const char* name, ElementType type, std::initializer_list<int64_t> shape) {
  outputs_.push_back(value_info(name, type, shape));
}

std::string GraphBuilder::initializer(std::string name, Handle<OrtValue> value, uint64_t bytes) {
  const bool external = bytes >= kLeastExternalBytes;
  api_(kAddInitializerToGraph, graph_.get(), name.c_str(), value.get(), external);
  static_cast<void>(value.release());  // the graph's now
  return name;
}

void GraphBuilder::node(const char* type, const char* domain, const std::string& name,
                        const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
                        std::span<OrtOpAttr*> attributes) {
  const std::vector<const char*> in = c_strings(inputs);
  const std::vector<const char*> out = c_strings(outputs);
  Handle<OrtNode> node = api_.create<OrtNode>(kCreateNode, type, domain, name.c_str(), in.data(), in.size(), out.data(),
                                              out.size(), attributes.data(), attributes.size());
  api_(kAddNodeToGraph, graph_.get(), node.get());
  static_cast<void>(node.release());  // the graph's now
}

void GraphBuilder::op(const char* type, const std::string& name, const std::vector<std::string>& inputs,
                      const std::vector<std::string>& outputs) {
  node(type, domain_, name, inputs, outputs, {});
}

void GraphBuilder::linear(const std::string& name, const std::string& x, const std::string& weight,
                          const std::string& out) {
  constexpr int64_t kTransposed = 1;
  Handle<OrtOpAttr> attribute = api_.create<OrtOpAttr>(kCreateOpAttr, "transB", &kTransposed, 1, AttributeType::kInt);
  std::array<OrtOpAttr*, 1> attributes{attribute.get()};
  node("Gemm", "", name, {x, weight}, {out}, attributes);
  static_cast<void>(attribute.release());  // the node's now: its header says "copied", but it is freed as well
}

void GraphBuilder::matmul(const std::string& name, const std::string& a, const std::string& b, const std::string& out) {
  node("MatMul", "", name, {a, b}, {out}, {});
}

void GraphBuilder::linear_integer(const std::string& name, const std::string& x, const std::string& weight,
                                  const std::string& zero_point, const std::string& out) {
  node("MatMulInteger", "", name, {x, weight, zero_point}, {out}, {});
}

void GraphBuilder::gather_rows(const std::string& name, const std::string& x, const std::string& indices,
                               const std::string& out) {
  node("Gather", "", name, {x, indices}, {out}, {});
}

Handle<OrtModel> GraphBuilder::finish() {
  hand_over(inputs_, [this](auto& values) { api_(kSetGraphInputs, graph_.get(), values.data(), values.size()); });
  hand_over(outputs_, [this](auto& values) { api_(kSetGraphOutputs, graph_.get(), values.data(), values.size()); });
  const std::array<const char*, 2> domains{"", domain_};
  const std::array<int, 2> versions{kOnnxOpset, 1};
  Handle<OrtModel> model = api_.create<OrtModel>(kCreateModel, domains.data(), versions.data(), domains.size());
  api_(kAddGraphToModel, model.get(), graph_.get());
  static_cast<void>(graph_.release());  // the model's now
  return model;
}

}  // namespace saferoute::ort
