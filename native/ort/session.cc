#include "ort/session.h"

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "ort/decoder_ops.h"
#include "ort/graph_builder.h"

namespace saferoute::ort {
namespace {

// Just enough of protobuf's wire format for the model below.
std::string varint(int field, uint8_t value) {  // value < 128
  return {static_cast<char>(field << 3), static_cast<char>(value)};
}
std::string message(int field, const std::string& body) {  // body shorter than 128
  return std::string{static_cast<char>(field << 3 | 2), static_cast<char>(body.size())} + body;
}

// A model with one constant, as ONNX bytes. ONNX Runtime 1.30 registers a session's operators too late for a model that
// is built from nothing (CreateSessionFromModel: "is not a registered function/op"), but in time for one that is added
// to a model read from bytes. Once it registers them in time, this can go.
std::string base_model() {
  const std::string value = message(1, "value_float") + std::string("\x15\0\0\0\0", 5) + std::string("\xa0\x01\x01");
  const std::string constant = message(2, "unused") + message(4, "Constant") + message(5, value);
  const std::string scalar = message(1, varint(1, 1) + message(2, ""));  // f32, no dimensions
  const std::string graph =
      message(1, constant) + message(2, "base") + message(12, message(1, "unused") + message(2, scalar));
  const std::string onnx = message(1, "") + varint(2, kOnnxOpset);
  const std::string ours = message(1, kOpDomain) + varint(2, 1);
  constexpr uint8_t kIrVersion = 9;
  return varint(1, kIrVersion) + message(7, graph) + message(8, onnx) + message(8, ours);
}

// ONNX Runtime 1.30 looks for the domain of custom operators in a registry that all sessions share, and adds it, in two
// steps: of two sessions that are made at once the second fails ("the domain is already exist"). Once it takes both
// steps under one lock, this can go.
std::mutex& domain_registry() {
  static std::mutex mutex;
  return mutex;
}

Handle<OrtSessionOptions> session_options(const Api& api, const CustomOps& ops, RunThreads threads) {
  auto options = api.create<OrtSessionOptions>(kCreateSessionOptions);
  if (threads == RunThreads::kPool) {
    api(kDisablePerSessionThreads, options.get());
  } else {
    api(kSetIntraOpNumThreads, options.get(), 1);  // a pool of one's own, of the caller's thread
  }
  api(kDisableMemPattern, options.get());  // batches differ in size, and a pattern would be kept for each
  api(kSetSessionGraphOptimizationLevel, options.get(), Optimization::kNone);  // the graph is fused already
  api(kAddCustomOpDomain, options.get(), ops.domain());
  return options;
}

// Runs `work`; after a stop request an error of ONNX Runtime's means that it obeyed.
template <typename Work>
void stoppable(const std::stop_token& stop, const char* what, Work work) {
  try {
    if (!stop.stop_requested()) return work();
  } catch (const Error&) {
    if (!stop.stop_requested()) throw;
  }
  throw Error(ErrorCode::kAborted, std::string(what) + " was stopped");
}

}  // namespace

TensorRef matrix(const char* name, float* data, int64_t rows, int64_t columns) {
  const auto bytes = static_cast<size_t>(rows * columns) * sizeof *data;
  return {name, ElementType::kFloat, data, bytes, {rows, columns}, 2};
}
TensorRef vector(const char* name, float* data, int64_t size) {
  return {name, ElementType::kFloat, data, static_cast<size_t>(size) * sizeof *data, {size}, 1};
}
TensorRef vector(const char* name, int32_t* data, int64_t size) {
  return {name, ElementType::kInt32, data, static_cast<size_t>(size) * sizeof *data, {size}, 1};
}

Session::Session(std::shared_ptr<Runtime> runtime, const CustomOps& ops, Handle<OrtModel> model, std::stop_token stop,
                 RunThreads threads)
    : runtime_(std::move(runtime)),
      cpu_(runtime_->api().create<OrtMemoryInfo>(kCreateCpuMemoryInfo, AllocatorType::kDevice, MemoryType::kDefault)) {
  const Api& api = runtime_->api();
  const auto options = session_options(api, ops, threads);
  const std::string base = base_model();
  {
    const std::lock_guard lock(domain_registry());
    session_ = api.create<OrtSession>(kCreateModelEditorSessionFromArray, runtime_->env(), base.data(), base.size(),
                                      options.get());
  }
  api(kApplyModelToModelEditorSession, session_.get(), model.get());
  model.reset();  // from here on the session alone holds the weights, and frees each as soon as it has packed it
  stoppable(stop, "the load", [&] {
    const std::stop_callback cancel(stop, [&] { api(kSessionOptionsSetLoadCancellationFlag, options.get(), true); });
    api(kFinalizeModelEditorSession, session_.get(), options.get(), nullptr);
  });
}

Handle<OrtValue> Session::tensor(const TensorRef& ref) const {
  return runtime_->api().create<OrtValue>(kCreateTensorWithDataAsOrtValue, cpu_.get(), ref.data, ref.bytes,
                                          ref.shape.data(), ref.rank, ref.type);
}

void Session::run(std::span<const TensorRef> inputs, std::span<const TensorRef> outputs, std::stop_token stop) {
  const Api& api = runtime_->api();
  std::vector<Handle<OrtValue>> tensors;
  std::vector<const char*> names;
  std::vector<OrtValue*> values;
  for (const std::span<const TensorRef> refs : {inputs, outputs}) {
    for (const TensorRef& ref : refs) {
      tensors.push_back(tensor(ref));
      names.push_back(ref.name);
      values.push_back(tensors.back().get());
    }
  }
  const auto options = api.create<OrtRunOptions>(kCreateRunOptions);
  // Every failure comes back as a status; ONNX Runtime's own line on stderr for it, a stopped run's too, says nothing
  // more.
  api(kRunOptionsSetRunLogSeverityLevel, options.get(), static_cast<int>(LogLevel::kFatal));
  stoppable(stop, "the forward pass", [&] {
    const std::stop_callback terminate(stop, [&] { api(kRunOptionsSetTerminate, options.get()); });
    const size_t in = inputs.size();
    api(kRun, session_.get(), options.get(), names.data(), values.data(), in, names.data() + in, outputs.size(),
        values.data() + in);
  });
}

}  // namespace saferoute::ort
