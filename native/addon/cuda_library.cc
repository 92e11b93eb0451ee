#include "addon/cuda_library.h"

#include <filesystem>

#include <dlfcn.h>

#include "addon/library_path.h"
#include "engine/error.h"

namespace saferoute::addon {
namespace {

constexpr const char* kFile = "libsaferoute-cuda.so";

[[noreturn]] void refuse(const std::string& why) {
  throw Error(ErrorCode::kUnsupported, "CUDA is not available: " + why);
}

}  // namespace

bool CudaLibrary::is_driver_there() {
  return dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE) != nullptr;
}

CudaLibrary CudaLibrary::load() {
  const std::string path = beside_addon(kFile);
  if (!std::filesystem::exists(path)) {
    refuse(std::string("this build has no CUDA part (") + kFile + " beside the addon)");
  }
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (library == nullptr) refuse(dlerror());
  void* entry = dlsym(library, cuda::kModuleSymbol);
  if (entry == nullptr) refuse(path + " has no symbol " + cuda::kModuleSymbol);
  const cuda::Module* module = reinterpret_cast<cuda::ModuleEntry*>(entry)(cuda::kModuleAbi);
  if (module == nullptr) refuse(path + " is of another build than the addon");
  return CudaLibrary(module);
}

cuda::DeviceFacts CudaLibrary::probe() const {
  cuda::DeviceFacts facts;
  cuda::Failure failure;
  if (!module_->probe(facts, failure)) throw Error(failure.code, failure.message);
  return facts;
}

CudaState cuda_state() {
  CudaState state;
  state.driver = CudaLibrary::is_driver_there();
  if (!state.driver) {
    state.problem = "no driver of an NVIDIA GPU was found";
    return state;
  }
  try {
    state.facts = CudaLibrary::load().probe();
  } catch (...) {
    state.problem = current_error().what();
  }
  return state;
}

}  // namespace saferoute::addon
