// How long requests spent in each stage of their way through the engine.
#pragma once

#include "engine/engine.h"
#include "engine/latency_histogram.h"

namespace saferoute::engine {

// Guarded by the scheduler's mutex.
class StageLatencies {
 public:
  // Takes in the event that settles a request.
  void add(const Event& settled) {
    queue_.add(settled.timing.queue_ms);
    if (settled.small) small_.add(settled.timing.small_ms);
    if (settled.large) large_.add(settled.timing.large_ms);
    total_.add(settled.timing.total_ms);
  }

  void report(EngineStats& stats) const {
    stats.queue_latency = queue_.stats();
    stats.small_latency = small_.stats();
    stats.large_latency = large_.stats();
    stats.total_latency = total_.stats();
  }

 private:
  LatencyHistogram queue_;
  LatencyHistogram small_;
  LatencyHistogram large_;
  LatencyHistogram total_;
};

}  // namespace saferoute::engine
