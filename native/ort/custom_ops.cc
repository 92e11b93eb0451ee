#include "ort/custom_ops.h"

#include <atomic>
#include <exception>
#include <utility>

namespace saferoute::ort {
namespace {

// A parallel body that keeps its first exception for the caller: ONNX Runtime's pool would let it end the process.
struct GuardedBody {
  cpu::ParallelFor::Body body;
  void* user;
  std::atomic_flag failed = ATOMIC_FLAG_INIT;
  std::exception_ptr error;

  static void run(void* self, size_t index) noexcept {
    auto& guarded = *static_cast<GuardedBody*>(self);
    try {
      guarded.body(guarded.user, index);
    } catch (...) {
      if (!guarded.failed.test_and_set()) guarded.error = std::current_exception();
    }
  }
};

}  // namespace

OrtValue* KernelCall::input_value(size_t index) const {
  const OrtValue* value = nullptr;
  api_(kKernelContextGetInput, context_, index, &value);
  return const_cast<OrtValue*>(value);  // kGetTensorMutableData takes no const; input() gives it back
}

OrtValue* KernelCall::output_value(size_t index, std::initializer_list<int64_t> shape) const {
  OrtValue* value = nullptr;
  api_(kKernelContextGetOutput, context_, index, shape.begin(), shape.size(), &value);
  return value;
}

void* KernelCall::data(OrtValue* value) const {
  void* data = nullptr;
  api_(kGetTensorMutableData, value, &data);
  return data;
}

int64_t KernelCall::elements(size_t input) const {
  const auto info = api_.create<OrtTensorTypeAndShapeInfo>(kGetTensorTypeAndShape, input_value(input));
  size_t elements = 0;
  api_(kGetTensorShapeElementCount, info.get(), &elements);
  return static_cast<int64_t>(elements);
}

cpu::ParallelFor KernelCall::parallel_for() const {
  const auto run = [](void* context, cpu::ParallelFor::Body body, size_t count, void* user) {
    const auto& call = *static_cast<const KernelCall*>(context);
    GuardedBody guarded{.body = body, .user = user, .error = {}};
    call.api_(kKernelContextParallelFor, call.context_, &GuardedBody::run, count, 0, &guarded);
    if (guarded.error) std::rethrow_exception(guarded.error);
  };
  return {run, const_cast<KernelCall*>(this)};
}

CustomOps::Adapter::Adapter(const Api& loaded, Operator described) : CustomOp{}, api(loaded), op(std::move(described)) {
  version = kApiVersion;
  CustomOp::name = [](const CustomOp* self) { return static_cast<const Adapter*>(self)->op.name.c_str(); };
  execution_provider = [](const CustomOp*) { return "CPUExecutionProvider"; };
  input_count = [](const CustomOp* self) { return static_cast<const Adapter*>(self)->op.inputs.size(); };
  input_type = [](const CustomOp* self, size_t index) { return static_cast<const Adapter*>(self)->op.inputs[index]; };
  input_characteristic = [](const CustomOp*, size_t) { return Characteristic::kRequired; };
  input_memory_type = [](const CustomOp*, size_t) { return MemoryType::kDefault; };
  output_count = [](const CustomOp* self) { return static_cast<const Adapter*>(self)->op.outputs.size(); };
  output_type = [](const CustomOp* self, size_t index) { return static_cast<const Adapter*>(self)->op.outputs[index]; };
  output_characteristic = [](const CustomOp*, size_t) { return Characteristic::kRequired; };
  start_version = [](const CustomOp*) { return 1; };
  end_version = [](const CustomOp*) { return 1; };
  // The kernel of every node is the operator itself, which outlives the session.
  create_kernel_v2 = [](const CustomOp* self, const void*, const OrtKernelInfo*, void** kernel) -> OrtStatus* {
    *kernel = const_cast<CustomOp*>(self);
    return nullptr;
  };
  destroy_kernel = [](void*) {};
  compute_v2 = [](void* kernel, OrtKernelContext* context) -> OrtStatus* {
    const auto& self = *static_cast<const Adapter*>(static_cast<const CustomOp*>(kernel));
    try {
      self.op.compute(KernelCall(self.api, context));
      return nullptr;
    } catch (const std::exception& error) {
      return self.api.failure(error.what());
    } catch (...) {
      return self.api.failure("an operator threw something that is no std::exception");
    }
  };
}

CustomOps::CustomOps(const Api& api, const char* domain)
    : api_(api), domain_(api.create<OrtCustomOpDomain>(kCreateCustomOpDomain, domain)) {}

void CustomOps::add(Operator op) {
  const Adapter& adapter = adapters_.emplace_back(api_, std::move(op));
  api_(kCustomOpDomainAdd, domain_.get(), &adapter);
}

}  // namespace saferoute::ort
