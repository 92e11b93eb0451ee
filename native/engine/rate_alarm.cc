#include "engine/rate_alarm.h"

#include <cmath>

namespace saferoute::engine {

int32_t binomial_limit(int32_t window, double p, double chance) {
  if (p <= 0) return 0;
  if (p >= 1) return window;
  const double odds = std::log(p) - std::log1p(-p);
  double log_term = window * std::log(p);  // of the probability of exactly k picks
  double tail = 0;                         // of k picks or more
  int32_t k = window;
  for (; k > 0; --k) {
    tail += std::exp(log_term);
    if (tail > chance) return k;
    log_term += std::log(static_cast<double>(k)) - std::log(static_cast<double>(window - k + 1)) - odds;
  }
  return 0;
}

RateAlarm::RateAlarm(const AlarmBand& band, double false_alarms)
    : band_(band),
      least_(band.window - binomial_limit(band.window, 1 - band.low, false_alarms)),
      most_(binomial_limit(band.window, band.high, false_alarms)),
      least_back_(static_cast<int32_t>(std::floor(band.low * band.window))),
      most_back_(static_cast<int32_t>(std::ceil(band.high * band.window))),
      picked_(band.window) {}

bool RateAlarm::record(bool picked, Clock::time_point now) {
  picked_.push(picked);
  if (!picked_.is_full()) return false;
  const int32_t count = picked_.count();
  if (ringing_ && count >= least_back_ && count <= most_back_) {
    ringing_ = false;
    ended_at_ = now;
    return true;
  }
  if (!ringing_ && (count < least_ || count > most_)) {
    ringing_ = true;
    began_at_ = now;
    rung_ += 1;
    return true;
  }
  return false;
}

AlarmState RateAlarm::state(Clock::time_point now) const {
  AlarmState state{.ringing = ringing_,
                   .rate = {},
                   .band = band_,
                   .rings_below = static_cast<double>(least_) / band_.window,
                   .rings_above = static_cast<double>(most_) / band_.window,
                   .ringing_ms = milliseconds((ringing_ ? now : ended_at_) - began_at_),
                   .rung = rung_};
  if (picked_.is_full()) state.rate = static_cast<double>(picked_.count()) / band_.window;
  return state;
}

}  // namespace saferoute::engine
