// The CUDA part, a shared object beside the addon's own file. It is loaded only when somebody asks for the GPU, so that
// a machine without one needs nothing of CUDA.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "cuda/module.h"

namespace saferoute::addon {

// The calls of cuda::Module with errors thrown. Stays loaded until the process ends. Copied freely; thread-safe.
class CudaLibrary {
 public:
  // Whether this machine has a driver of NVIDIA's. It stays loaded.
  static bool is_driver_there();

  // Throws Error(kUnsupported) where this build has no CUDA part, or it cannot be loaded, or is of another build.
  static CudaLibrary load();

  // Takes the memory of a context on the device. Throws Error(kUnsupported) with why no guard can run there.
  cuda::DeviceFacts probe() const;

  const cuda::Module& module() const { return *module_; }

 private:
  explicit CudaLibrary(const cuda::Module* module) : module_(module) {}

  const cuda::Module* module_;
};

// What the device says of itself, or why it cannot be used. Without a driver nothing is loaded.
struct CudaState {
  bool driver = false;
  std::string problem;  // empty where guards can run there
  std::optional<cuda::DeviceFacts> facts;
};
CudaState cuda_state();

}  // namespace saferoute::addon
