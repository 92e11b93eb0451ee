// How long launches of one op take on the device, without the host in between; and memory for its operands.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <cuda_runtime_api.h>

#include "cuda/check.h"
#include "cuda/element_types.h"

namespace saferoute::bench {

// Freed with the process: a bench is one.
template <typename T>
T* device_copy(const std::vector<T>& values) {
  void* data = nullptr;
  cuda::check(cudaMalloc(&data, values.size() * sizeof(T)), "allocate");
  cuda::check(cudaMemcpy(data, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice), "upload");
  // From memory that is not pinned, the copy returns before all of it has arrived; streams here do not wait for it.
  cuda::check(cudaDeviceSynchronize(), "upload");
  return static_cast<T*>(data);
}

// Normally distributed around 0, the same for a seed.
std::vector<float> noise(size_t count, float scale, uint32_t seed);
std::vector<cuda::Bf16> bf16_noise(size_t count, float scale, uint32_t seed);

// Microseconds of each launch, over replays of a graph of 50: the gaps between launches are the device's own.
std::vector<double> launch_times(const std::function<void(cudaStream_t)>& launch);

// Microseconds between the events around one call on an idle stream, the host's way to the device included.
std::vector<double> call_times(const std::function<void(cudaStream_t)>& launch);

// Microseconds of one launch that finds nothing of its operands in L2, which was written full right before. The host is
// far ahead by then; what an event takes is included.
std::vector<double> cold_times(const std::function<void(cudaStream_t)>& launch);

}  // namespace saferoute::bench
