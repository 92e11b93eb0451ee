// What the CUDA device of this machine is, and whether guards can run on it.
#pragma once

#include "cuda/module.h"

namespace saferoute::cuda {

// The current device: the first that CUDA_VISIBLE_DEVICES leaves. Takes memory on it for the context.
// Throws Error(kUnsupported) that says why no guard can run here: no driver, one too old, no device, one older than
// compute capability 8.0, no cuBLASLt.
DeviceFacts probe();

}  // namespace saferoute::cuda
