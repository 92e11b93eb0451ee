// A request, or a feature for the router, from submit to settlement.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string_view>
#include <vector>

#include "engine/clock.h"
#include "engine/prefix_cache.h"
#include "engine/reading.h"
#include "engine/request.h"

namespace saferoute::engine {

enum class LaneId { kSmall, kLarge };

inline std::string_view guard_name(LaneId lane) { return lane == LaneId::kSmall ? "small guard" : "large guard"; }

// Guarded by the scheduler's mutex, except that the lane whose pass holds the job reads what the pass is about without
// it: nobody writes `request`, `feature`, `lease` and the token counts before the pass is settled.
struct Job {
  Ticket ticket = 0;
  uint64_t sequence = 0;  // of the request, for its coins; 0 for a route job
  Request request;
  std::vector<float> feature;  // (hidden_size) of a route job; empty for a request

  LaneId lane = LaneId::kSmall;
  bool in_flight = false;
  bool cancelled = false;  // only while in flight: where it waits, a cancelled job is gone at once

  // In the lane that the job is in.
  uint64_t arrival = 0;
  Clock::time_point arrived_at;
  Clock::time_point waiting_since;             // the arrival, or the end of the last pass that computed a part of it
  Priority priority = Priority::kInteractive;  // that it has, by its request or by having waited
  std::optional<PageLease> lease;              // from the first pass to the last
  int32_t ready_tokens = 0;  // of the prompt's, whose keys and values stand in pages; cached ones included
  int32_t slice_tokens = 0;  // after these, that the pass in flight computes
  int32_t new_tokens = 0;    // that are to be computed, as it looked when the job began to wait

  Clock::time_point submitted_at;
  Clock::time_point deadline = Clock::time_point::max();
  Event event;  // what is known so far

  bool is_route() const { return !feature.empty(); }
  bool has_begun() const { return lease.has_value(); }

  // The prompt for the guard of the lane that the job is in, and for the guard of another.
  const std::vector<int32_t>& ids() const { return ids_for(lane); }
  const std::vector<int32_t>& ids_for(LaneId guard) const {
    return guard == LaneId::kLarge && !request.large_ids.empty() ? request.large_ids : request.small_ids;
  }

  // Whether the pass in flight is the prompt's first, before which the page that it is to have a copy of is copied.
  bool starts_in_flight() const { return lease && ready_tokens == lease->cached_tokens; }

  // Whether the pass in flight computes the prompt's last token, so that its reading is the prompt's.
  bool ends_in_flight() const { return ready_tokens + slice_tokens == static_cast<int32_t>(ids().size()); }

  // Takes in that the pass of `pass_ms` computed the job's slice.
  void record_slice(double pass_ms);

  // Takes in what was read at the prompt's end, or what the router said.
  void record(Outcome&& outcome);

  // Takes in what the large guard has read in the same pass, of which `large_ms` is its part.
  void record_large(LargeOutcome&& large, double large_ms);

  // The last event of the job; leaves nothing of it behind.
  Event done();
  Event failed(const Error& error);
  // The small guard's reading, which the job keeps.
  Event stage();
};

// Jobs move between lists without being copied, so that an iterator stays good for a job's whole life.
using JobList = std::list<Job>;

}  // namespace saferoute::engine
