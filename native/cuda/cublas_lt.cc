#include "cuda/cublas_lt.h"

#include <cstdlib>
#include <vector>

#include <dlfcn.h>

#include "engine/error.h"

namespace saferoute::cuda {
namespace {

constexpr size_t kOldest = 120900;  // the first with scales per row and per column of FP8 products

std::vector<std::string> candidates() {
  if (const char* named = std::getenv("SAFEROUTE_CUBLASLT"); named != nullptr && *named != '\0') return {named};
  return {"libcublasLt.so.13", "libcublasLt.so.12", "/usr/local/cuda/lib64/libcublasLt.so.13",
          "/usr/local/cuda/lib64/libcublasLt.so.12"};
}

std::string text_of(size_t version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

template <typename Function>
void resolve(void* library, const std::string& file, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
  if (function == nullptr) throw Error(ErrorCode::kUnsupported, "cuBLASLt in " + file + " has no function " + name);
}

}  // namespace

CublasLt CublasLt::load() {
  CublasLt lt;
  void* library = nullptr;
  std::string failures;
  for (const std::string& file : candidates()) {
    library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    lt.file_ = file;
    if (library != nullptr) break;
    failures += std::string(failures.empty() ? "" : "; ") + dlerror();
  }
  if (library == nullptr) throw Error(ErrorCode::kUnsupported, "cuBLASLt can't be loaded: " + failures);

  decltype(&cublasLtGetVersion) version = nullptr;
  resolve(library, lt.file_, "cublasLtGetVersion", version);
  lt.version_ = version();
  if (lt.version_ < kOldest) {
    throw Error(ErrorCode::kUnsupported,
                "cuBLASLt in " + lt.file_ + " is " + lt.version_text() + ", " + text_of(kOldest) + " is needed");
  }
  resolve(library, lt.file_, "cublasLtCreate", lt.create);
  resolve(library, lt.file_, "cublasLtDestroy", lt.destroy);
  resolve(library, lt.file_, "cublasLtMatmul", lt.matmul);
  resolve(library, lt.file_, "cublasLtMatmulAlgoGetHeuristic", lt.find_algorithms);
  resolve(library, lt.file_, "cublasLtMatmulDescInit_internal", lt.init_operation);
  resolve(library, lt.file_, "cublasLtMatmulDescSetAttribute", lt.set_operation);
  resolve(library, lt.file_, "cublasLtMatrixLayoutInit_internal", lt.init_layout);
  resolve(library, lt.file_, "cublasLtMatmulPreferenceInit_internal", lt.init_preference);
  resolve(library, lt.file_, "cublasLtMatmulPreferenceSetAttribute", lt.set_preference);
  resolve(library, lt.file_, "cublasLtGetStatusString", lt.status_text_);
  return lt;
}

std::string CublasLt::version_text() const { return text_of(version_); }

void CublasLt::check(cublasStatus_t status, const char* what) const {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  const ErrorCode code = status == CUBLAS_STATUS_ALLOC_FAILED ? ErrorCode::kMemory : ErrorCode::kBackend;
  throw Error(code, std::string("cuBLASLt: ") + what + ": " + status_text_(status));
}

}  // namespace saferoute::cuda
