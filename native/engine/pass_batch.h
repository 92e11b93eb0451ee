// A flight as the batches that a backend takes. Only on the thread of the flight's lane.
#pragma once

#include "engine/backend.h"
#include "engine/lane_queue.h"

namespace saferoute::engine {

// Overwrites `batch`, keeping its memory, with the slices of the flight's jobs, one row each.
void fill_batch(Batch& batch, const Flight& flight);

// The same with the large guard's prompts as the flight's claim has them: a row without tokens where it forbids one.
void fill_large_batch(Batch& batch, const Flight& flight);

}  // namespace saferoute::engine
