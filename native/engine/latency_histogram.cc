#include "engine/latency_histogram.h"

#include <algorithm>
#include <cmath>

namespace saferoute::engine {
namespace {

constexpr double kGrowth = 1.1;
constexpr double kSmallestMs = 1e-3;

}  // namespace

void LatencyHistogram::add(double ms) {
  size_t bucket = 0;
  if (ms >= kSmallestMs) {
    const double steps = std::log(ms / kSmallestMs) / std::log(kGrowth);
    bucket = 1 + static_cast<size_t>(std::min(steps, static_cast<double>(kBuckets - 2)));
  }
  counts_[bucket] += 1;
  count_ += 1;
}

LatencyStats LatencyHistogram::stats() const {
  return {.count = count_, .p50_ms = percentile(0.50), .p95_ms = percentile(0.95), .p99_ms = percentile(0.99)};
}

// The smallest latency that at least `share` of all do not exceed.
double LatencyHistogram::percentile(double share) const {
  if (count_ == 0) return 0;
  const uint64_t rank = std::max<uint64_t>(1, static_cast<uint64_t>(std::ceil(share * static_cast<double>(count_))));
  uint64_t seen = 0;
  size_t bucket = 0;
  while ((seen += counts_[bucket]) < rank) ++bucket;
  if (bucket == 0) return 0;
  return kSmallestMs * std::pow(kGrowth, static_cast<double>(bucket) - 0.5);
}

}  // namespace saferoute::engine
