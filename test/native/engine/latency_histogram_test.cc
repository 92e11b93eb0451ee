// Percentiles out of buckets, held against those of the sorted values.
#include "engine/latency_histogram.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace saferoute::engine {
namespace {

double exact(std::vector<double> sorted, double share) {
  std::sort(sorted.begin(), sorted.end());
  return sorted[static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size()))) - 1];
}

TEST(LatencyHistogram, IsZeroWithoutALatency) {
  const LatencyStats stats = LatencyHistogram().stats();
  EXPECT_EQ(stats.count, 0u);
  EXPECT_EQ(stats.p50_ms, 0);
  EXPECT_EQ(stats.p99_ms, 0);
}

TEST(LatencyHistogram, IsWithinFivePercentFromMicrosecondsToHours) {
  std::mt19937 random(1);
  for (const double middle_ms : {0.01, 1.0, 60.0, 10000.0}) {
    for (const size_t count : {1, 2, 99, 100, 5000}) {
      std::lognormal_distribution<double> latency(std::log(middle_ms), 1.5);
      LatencyHistogram histogram;
      std::vector<double> values;
      while (values.size() < count) {
        const double value = std::max(latency(random), 1e-3);
        values.push_back(value);
        histogram.add(value);
      }
      const LatencyStats stats = histogram.stats();
      EXPECT_EQ(stats.count, count);
      EXPECT_NEAR(stats.p50_ms / exact(values, 0.50), 1, 0.05);
      EXPECT_NEAR(stats.p95_ms / exact(values, 0.95), 1, 0.05);
      EXPECT_NEAR(stats.p99_ms / exact(values, 0.99), 1, 0.05);
    }
  }
}

TEST(LatencyHistogram, TakesWhatLiesOutsideItsRange) {
  LatencyHistogram histogram;
  histogram.add(0);
  EXPECT_EQ(histogram.stats().p50_ms, 0);
  for (const double ms : {1e9, 1e300}) histogram.add(ms);
  EXPECT_GT(histogram.stats().p99_ms, 3 * 3600e3);
  EXPECT_EQ(histogram.stats().count, 3u);
}

}  // namespace
}  // namespace saferoute::engine
