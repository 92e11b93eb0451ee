// cuBLASLt, loaded at run time: the functions that gemm.cc calls, and calls that throw. Built against its headers,
// never linked, so that a machine without it can still load this part and say what is missing.
#pragma once

#include <cstddef>
#include <string>

#include <cublasLt.h>

namespace saferoute::cuda {

// The loaded library. It stays loaded until the process ends. Copied freely; thread-safe.
class CublasLt {
 public:
  // Takes the file that SAFEROUTE_CUBLASLT names where it is set, else the first of libcublasLt.so.13 and .12 that the
  // loader finds, there or in the toolkit's usual folder. Throws Error(kUnsupported) where none is there or one is
  // older than 12.9.
  static CublasLt load();

  size_t version() const { return version_; }        // 130002 is 13.0.2
  std::string version_text() const;                  // "13.0.2"
  const std::string& file() const { return file_; }  // as the loader was asked for it

  decltype(&cublasLtCreate) create = nullptr;
  decltype(&cublasLtDestroy) destroy = nullptr;
  decltype(&cublasLtMatmul) matmul = nullptr;
  decltype(&cublasLtMatmulAlgoGetHeuristic) find_algorithms = nullptr;
  decltype(&cublasLtMatmulDescInit_internal) init_operation = nullptr;
  decltype(&cublasLtMatmulDescSetAttribute) set_operation = nullptr;
  decltype(&cublasLtMatrixLayoutInit_internal) init_layout = nullptr;
  decltype(&cublasLtMatmulPreferenceInit_internal) init_preference = nullptr;
  decltype(&cublasLtMatmulPreferenceSetAttribute) set_preference = nullptr;

  // Throws Error(kMemory | kBackend) with the library's own words and `what` was called.
  void check(cublasStatus_t status, const char* what) const;

 private:
  size_t version_ = 0;
  std::string file_;
  decltype(&cublasLtGetStatusString) status_text_ = nullptr;
};

}  // namespace saferoute::cuda
