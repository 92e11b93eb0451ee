// Both guards of a cascade in one graph: small guard, guard_head, compaction of the hard rows, and a conditional node
// that runs the large guard at the smallest of a few shapes that holds them.
#pragma once

#include <compare>

#include <cuda_runtime_api.h>

#include "cuda/graph.h"
#include "cuda/loaded_guard.h"
#include "cuda/pass_shape.h"

namespace saferoute::cuda {

struct CascadeShape {
  PassShape small;
  PassShape large;  // of every row, as if all were hard

  auto operator<=>(const CascadeShape&) const = default;
};

// Whether the two can be in one graph: both wholly on the device, and no batch has more rows than compaction takes.
bool can_cascade(const GuardPlan& small, const GuardPlan& large);

// Records a cascade of `shape` on `stream`, the large guard's part by way of `body_stream`. A replay expects the
// batches and the rule where upload() and upload_rule() leave them, and ends with both guards' readings on the host.
Graph capture_cascade(LoadedGuard& small, LoadedGuard& large, const CascadeShape& shape, cudaStream_t stream,
                      cudaStream_t body_stream);

}  // namespace saferoute::cuda
