// native/cuda/launch.cuh on the CPU: a launch is over when it returns. Blocks run one after another, so those that wait
// for each other must be one.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <type_traits>

#include <cuda_runtime_api.h>

#include "cuda/element_types.h"

namespace saferoute::cuda {

inline int multiprocessors() { return 1; }

enum class Blocks { kIndependent, kTogether };

template <typename... Parameters, typename... Arguments>
void launch(const char*, void (*kernel)(Parameters...), dim3 grid, int threads, Blocks, cudaStream_t,
            const Arguments&... arguments) {
  simt::run_grid(grid, static_cast<unsigned>(threads), simt::launch_order,
                 [&] { kernel(static_cast<std::remove_cvref_t<Parameters>>(arguments)...); });
}

template <typename... Parameters, typename... Arguments>
void launch(const char* what, void (*kernel)(Parameters...), dim3 grid, int threads, cudaStream_t stream,
            const Arguments&... arguments) {
  launch(what, kernel, grid, threads, Blocks::kIndependent, stream, arguments...);
}

// What a block finds there is of no use to it.
template <typename... Parameters, typename... Arguments>
void launch_with_shared_memory(const char* what, void (*kernel)(Parameters...), dim3 grid, int threads,
                               int shared_bytes, cudaStream_t stream, const Arguments&... arguments) {
  if (static_cast<size_t>(shared_bytes) > simt::kSharedBytes)
    throw std::logic_error("more shared memory than there is");
  std::fill_n(simt::shared_memory(), simt::kSharedBytes, std::byte{0xff});
  launch(what, kernel, grid, threads, stream, arguments...);
}

inline std::byte* dynamic_shared_memory() { return simt::shared_memory(); }

}  // namespace saferoute::cuda
