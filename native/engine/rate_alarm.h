// Tells when the rate at which a rule picks rows has left the band that it should be in.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/clock.h"
#include "engine/rate_window.h"

namespace saferoute::engine {

// Rates from 0 to 1, over the last `window` rows.
struct AlarmBand {
  double low = 0;
  double high = 1;
  int32_t window = 1000;
};

// The chance that a full window rings, for each side of the band, while the true rate lies within it. By the union
// bound, independent rows of such a rate therefore start at most one false alarm in a million rows, in the mean.
inline constexpr double kFalseAlarms = 5e-7;

struct AlarmState {
  bool ringing = false;
  std::optional<double> rate;  // of the window; nothing before it is full
  AlarmBand band;
  double rings_below = 0;  // a rate below the one or above the other rings
  double rings_above = 1;
  double ringing_ms = 0;  // for which it has been ringing, or had been when it ended
  uint64_t rung = 0;      // times
};

// The least count k for which more than k of `window` picks, each of probability `p`, has a chance of at most `chance`.
int32_t binomial_limit(int32_t window, double p, double chance);

// It begins to ring where the window's rate could not come of the band's nearer end by chance, and ends where the rate
// is back within the band: between the two lies what noise would have to cross for it to begin and end again and again.
// Guarded by the scheduler's mutex.
class RateAlarm {
 public:
  explicit RateAlarm(const AlarmBand& band, double false_alarms = kFalseAlarms);

  // Whether any window could ring.
  bool can_ring() const { return least_ > 0 || most_ < band_.window; }

  // Takes in a row. Returns true where the alarm has begun to ring, or has ended.
  bool record(bool picked, Clock::time_point now);

  AlarmState state(Clock::time_point now) const;

 private:
  const AlarmBand band_;
  const int32_t least_, most_;            // picks in a window that does not ring
  const int32_t least_back_, most_back_;  // picks in a window within the band
  RateWindow picked_;
  bool ringing_ = false;
  Clock::time_point began_at_{};
  Clock::time_point ended_at_{};
  uint64_t rung_ = 0;
};

}  // namespace saferoute::engine
