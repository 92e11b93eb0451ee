// How a kernel of this room is launched. Apart, so that a test can run the ops' own sources on a CPU.
#pragma once

#include <cstddef>

#include <cuda_runtime_api.h>

#include "cuda/check.h"

namespace saferoute::cuda {

// Of the current device.
inline int multiprocessors() {
  int device = 0, count = 0;
  check(cudaGetDevice(&device), "cudaGetDevice");
  check(cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device), "cudaDeviceGetAttribute");
  return count;
}

enum class Blocks {
  kIndependent,
  kTogether,  // they wait for each other: the launch fails unless all fit the device at once
};

// Throws Error(kBackend) that names `what`.
template <typename... Parameters, typename... Arguments>
void launch(const char* what, void (*kernel)(Parameters...), dim3 grid, int threads, Blocks blocks, cudaStream_t stream,
            const Arguments&... arguments) {
  cudaLaunchAttribute together = {};
  together.id = cudaLaunchAttributeCooperative;
  together.val.cooperative = 1;
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.stream = stream;
  config.attrs = &together;
  config.numAttrs = blocks == Blocks::kTogether ? 1 : 0;
  check(cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...), what);
}

template <typename... Parameters, typename... Arguments>
void launch(const char* what, void (*kernel)(Parameters...), dim3 grid, int threads, cudaStream_t stream,
            const Arguments&... arguments) {
  launch(what, kernel, grid, threads, Blocks::kIndependent, stream, arguments...);
}

// With `shared_bytes` of memory that each block finds at dynamic_shared_memory(): also more than the 48 KiB that a
// kernel may have without asking.
template <typename... Parameters, typename... Arguments>
void launch_with_shared_memory(const char* what, void (*kernel)(Parameters...), dim3 grid, int threads,
                               int shared_bytes, cudaStream_t stream, const Arguments&... arguments) {
  check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes), what);
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = static_cast<size_t>(shared_bytes);
  config.stream = stream;
  check(cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...), what);
}

// At a multiple of 128 bytes.
__device__ inline std::byte* dynamic_shared_memory() {
  extern __shared__ __align__(128) std::byte shared_memory[];
  return shared_memory;
}

}  // namespace saferoute::cuda
