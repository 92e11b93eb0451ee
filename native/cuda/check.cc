#include "cuda/check.h"

#include <string>

#include "engine/error.h"

namespace saferoute::cuda {

void check(cudaError_t status, std::string_view what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();
  const ErrorCode code = status == cudaErrorMemoryAllocation ? ErrorCode::kMemory : ErrorCode::kBackend;
  throw Error(code,
              "CUDA: " + std::string(what) + ": " + cudaGetErrorString(status) + " (" + cudaGetErrorName(status) + ")");
}

}  // namespace saferoute::cuda
