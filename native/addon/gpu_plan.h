// Where a load's guards would lie on a GPU, from the `NativeGpuRequest` of lib/native.ts: arithmetic that needs none.
#pragma once

#include <napi.h>

namespace saferoute::addon {

// Throws a TypeError naming the first member that is missing or of the wrong type, and Error for what a spec or a
// router's file holds. Returns a `NativeGpuPlan`.
Napi::Value plan_gpu_memory(Napi::Value request);

}  // namespace saferoute::addon
