// How long things took, over an engine's whole life, in constant memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "engine/engine.h"

namespace saferoute::engine {

// Buckets whose bounds grow by a tenth, so that the middle of one is within 5 % of all that fell into it. Latencies
// under a microsecond count as 0 ms, and nothing counts as more than three and a half hours. Guarded by the scheduler's
// mutex.
class LatencyHistogram {
 public:
  void add(double ms);
  LatencyStats stats() const;

 private:
  static constexpr size_t kBuckets = 246;

  double percentile(double share) const;

  std::array<uint64_t, kBuckets> counts_{};  // the first: under a microsecond
  uint64_t count_ = 0;
};

}  // namespace saferoute::engine
