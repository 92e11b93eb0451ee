// What all guards of a process share: ONNX Runtime's environment with its thread pool, and the memory promised to
// loads.
#pragma once

#include <memory>

#include "ort/api.h"
#include "ort/memory_budget.h"
#include "ort/ort_backend.h"  // RuntimeOptions

namespace saferoute::ort {

// Shared by the backends; ends with the last of them. Thread-safe.
class Runtime {
 public:
  // The runtime that stands, or a new one from `options` where none does: where the last one is just ending, once it
  // has. Throws Error(kBackend).
  static std::shared_ptr<Runtime> acquire(const RuntimeOptions& options);

  const Api& api() const { return api_; }
  const OrtEnv* env() const { return env_.get(); }
  MemoryBudget& budget() { return budget_; }

 private:
  explicit Runtime(const RuntimeOptions& options);

  Api api_;
  Handle<OrtEnv> env_;
  MemoryBudget budget_;
};

}  // namespace saferoute::ort
