// Time as the engine counts it.
#pragma once

#include <algorithm>
#include <chrono>

namespace saferoute::engine {

using Clock = std::chrono::steady_clock;

inline double milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

// `ms` after `start`, or before it; thirty years at most, so that it stays a time.
inline Clock::time_point later(Clock::time_point start, double ms) {
  return start + std::chrono::duration_cast<Clock::duration>(
                     std::chrono::duration<double, std::milli>(std::clamp(ms, -1e12, 1e12)));
}

}  // namespace saferoute::engine
