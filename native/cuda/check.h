// Statuses of CUDA as the engine's one error type.
#pragma once

#include <string_view>

#include <cuda_runtime_api.h>

namespace saferoute::cuda {

// Throws Error(kMemory) where the device or the host is out of memory, else Error(kBackend), both with CUDA's own words
// and `what` was called. Takes the status away, so that a later check does not find it again; one that has ruined the
// context stays and comes again.
void check(cudaError_t status, std::string_view what);

}  // namespace saferoute::cuda
