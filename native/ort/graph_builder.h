// A model under construction, on ONNX Runtime's model editor.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ort/weight_store.h"

namespace saferoute::ort {

// ONNX operator set that graphs are built of; the version of our own operators is 1.
inline constexpr int kOnnxOpset = 21;

// Collects inputs, weights and nodes into one graph. Values are named by strings: a node's outputs are the inputs of
// others.
class GraphBuilder {
 public:
  // `weights` must outlive the model. `domain` is that of our operators.
  GraphBuilder(const Api& api, WeightStore& weights, const char* domain);

  // A dimension of -1 is known only at run time.
  void input(const char* name, ElementType type, std::initializer_list<int64_t> shape);
  void output(const char* name, ElementType type, std::initializer_list<int64_t> shape);

  // Returns `name`.
  template <typename T>
  std::string weight(std::string name, std::vector<T> data, std::initializer_list<int64_t> shape) {
    const size_t bytes = data.size() * sizeof(T);
    return initializer(std::move(name), weights_.adopt(std::move(data), shape), bytes);
  }
  std::string weight(std::string name, AnonymousMemory data) {
    const uint64_t bytes = data.bytes();
    return initializer(std::move(name), weights_.adopt(std::move(data)), bytes);
  }

  // A node of our own operator `type`.
  void op(const char* type, const std::string& name, const std::vector<std::string>& inputs,
          const std::vector<std::string>& outputs);

  // out (m, n) = x (m, k) · weight (n, k), transposed
  void linear(const std::string& name, const std::string& x, const std::string& weight, const std::string& out);

  // out (m, n) = a (m, k) · b (k, n)
  void matmul(const std::string& name, const std::string& a, const std::string& b, const std::string& out);

  // out (m, n) i32 = (x (m, k) u8 - zero_point) · weight (k, n) s8
  void linear_integer(const std::string& name, const std::string& x, const std::string& weight,
                      const std::string& zero_point, const std::string& out);

  // out = the rows of x that `indices` names
  void gather_rows(const std::string& name, const std::string& x, const std::string& indices, const std::string& out);

  // The model. Ends the construction.
  Handle<OrtModel> finish();

 private:
  Handle<OrtValueInfo> value_info(const char* name, ElementType type, std::span<const int64_t> shape) const;
  std::string initializer(std::string name, Handle<OrtValue> value, uint64_t bytes);
  void node(const char* type, const char* domain, const std::string& name, const std::vector<std::string>& inputs,
            const std::vector<std::string>& outputs, std::span<OrtOpAttr*> attributes);

  Api api_;
  WeightStore& weights_;
  const char* domain_;
  Handle<OrtGraph> graph_;
  std::vector<Handle<OrtValueInfo>> inputs_;
  std::vector<Handle<OrtValueInfo>> outputs_;
};

}  // namespace saferoute::ort
