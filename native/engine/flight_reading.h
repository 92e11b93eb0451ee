// Runs a flight of requests through its guard, or through both at once, and says what became of each job. Only on the
// thread of the flight's lane.
#pragma once

#include <vector>

#include "engine/backend.h"
#include "engine/lane_queue.h"
#include "engine/reading.h"

namespace saferoute::engine {

// Kept from pass to pass for their memory.
struct PassBatches {
  Batch own;
  Batch large;  // of a cascade
};

// One outcome per job. Throws what the backend throws, and Error(kBackend) for an answer that does not fit the flight.
std::vector<JobOutcome> read_flight(Backend& backend, const Flight& flight, LaneId lane, PassBatches& batches);

// The same where the flight has a claim on the guard that `large` tells of: the lane is the small one.
std::vector<JobOutcome> read_cascade(Backend& small, const GuardInfo& large, const Flight& flight,
                                     PassBatches& batches);

}  // namespace saferoute::engine
