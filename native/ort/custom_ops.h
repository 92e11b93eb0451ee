// Turns C++ functions into ONNX Runtime operators. What a function needs beside its tensors it holds itself, so the
// operators have no attributes; nothing it throws crosses the C ABI.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <string>
#include <vector>

#include "cpu/parallel_for.h"
#include "ort/api.h"

namespace saferoute::ort {

// One invocation of an operator. Lives on the stack of the thread that runs the session.
class KernelCall {
 public:
  KernelCall(const Api& api, OrtKernelContext* context) : api_(api), context_(context) {}

  // An input's elements; T is the type that the operator declares for it.
  template <typename T>
  const T* input(size_t index) const {
    return static_cast<const T*>(data(input_value(index)));
  }

  // Elements of an input: where it is (rows, width), rows is elements / width.
  int64_t elements(size_t input) const;

  // Allocates an output; T is the type that the operator declares for it.
  template <typename T>
  T* output(size_t index, std::initializer_list<int64_t> shape) const {
    return static_cast<T*>(data(output_value(index, shape)));
  }

  // The session's thread pool; what a body throws comes out of the call. Valid as long as this object.
  cpu::ParallelFor parallel_for() const;

 private:
  OrtValue* input_value(size_t index) const;
  OrtValue* output_value(size_t index, std::initializer_list<int64_t> shape) const;
  void* data(OrtValue* value) const;

  const Api& api_;
  OrtKernelContext* context_;
};

struct Operator {
  std::string name;
  std::vector<ElementType> inputs;
  std::vector<ElementType> outputs;
  std::function<void(const KernelCall&)> compute;
};

// A domain of operators. Sessions that use it must be gone before it. Filled on one thread; computed on any.
class CustomOps {
 public:
  CustomOps(const Api& api, const char* domain);
  CustomOps(const CustomOps&) = delete;
  CustomOps& operator=(const CustomOps&) = delete;

  void add(Operator op);

  OrtCustomOpDomain* domain() const { return domain_.get(); }

 private:
  struct Adapter : CustomOp {
    Adapter(const Api& api, Operator op);

    Api api;
    Operator op;
  };

  Api api_;
  std::deque<Adapter> adapters_;  // ONNX Runtime keeps pointers to them
  Handle<OrtCustomOpDomain> domain_;
};

}  // namespace saferoute::ort
