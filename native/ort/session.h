// A model made ready to run, and its runs.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>

#include "ort/custom_ops.h"
#include "ort/runtime.h"

namespace saferoute::ort {

// A named buffer of the caller's that a run reads or writes in place.
struct TensorRef {
  const char* name;
  ElementType type;
  void* data;
  size_t bytes;
  std::array<int64_t, 2> shape;
  size_t rank;
};
TensorRef matrix(const char* name, float* data, int64_t rows, int64_t columns);
TensorRef vector(const char* name, float* data, int64_t size);
TensorRef vector(const char* name, int32_t* data, int64_t size);

// Which threads compute a run.
enum class RunThreads {
  kPool,    // the process's pool and the caller's own
  kCaller,  // the caller's own alone
};

// Made and destroyed on one thread.
class Session {
 public:
  // Frees `model` as soon as it can, so that weights that were packed need not stand twice. Throws Error(kBackend), or
  // Error(kAborted) after a stop request.
  Session(std::shared_ptr<Runtime> runtime, const CustomOps& ops, Handle<OrtModel> model, std::stop_token stop,
          RunThreads threads = RunThreads::kPool);

  // Computes `outputs` from `inputs`; several threads may at once, where no operator of ours forbids it. Throws
  // Error(kBackend), or Error(kAborted) after a stop request from any thread.
  void run(std::span<const TensorRef> inputs, std::span<const TensorRef> outputs, std::stop_token stop);

 private:
  Handle<OrtValue> tensor(const TensorRef& ref) const;

  std::shared_ptr<Runtime> runtime_;
  Handle<OrtMemoryInfo> cpu_;
  Handle<OrtSession> session_;
};

}  // namespace saferoute::ort
