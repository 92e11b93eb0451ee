// Lets so many through per second, on a clock that the caller reads.
#pragma once

#include <algorithm>

#include "engine/clock.h"

namespace saferoute::engine {

// Holds a second's worth of tokens, at least one, and is full at first: after a pause that many pass at once, and in
// any t seconds no more than that and per_second * t. Guarded by the scheduler's mutex.
class TokenBucket {
 public:
  explicit TokenBucket(double per_second) : per_second_(per_second), most_(std::max(1.0, per_second)), tokens_(most_) {}

  // Takes one token, if there is one. `now` never runs backwards.
  bool take(Clock::time_point now) {
    const double seconds = milliseconds(now - refilled_at_) / 1000;
    tokens_ = std::min(most_, tokens_ + seconds * per_second_);
    refilled_at_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  const double per_second_;
  const double most_;
  double tokens_;
  Clock::time_point refilled_at_{};  // the clock's own beginning, at first: the bucket is full then
};

}  // namespace saferoute::engine
