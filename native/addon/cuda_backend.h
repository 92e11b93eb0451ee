// Guards on the GPU as the engine's backends: the CUDA part's own guards behind calls that throw no exception across
// it.
#pragma once

#include "addon/backends.h"
#include "cuda/guard_source.h"

namespace saferoute::addon {

// The library is loaded, and the device's memory planned and reserved, by the lane that comes first, on its own thread.
// Either factory throws Error(kUnsupported) where no guard can run on a GPU here, Error(kMemory) with the plan where
// the pair does not fit, and what the loading of its guard throws.
BackendFactories make_cuda_backends(cuda::PairSource source);

}  // namespace saferoute::addon
