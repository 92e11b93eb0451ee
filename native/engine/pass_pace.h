// How fast a guard computes: measured pass by pass, so that the next one can be cut to a time.
#pragma once

#include <cstdint>
#include <optional>

namespace saferoute::engine {

// What a guard computed in a pass.
struct PassWork {
  int64_t tokens = 0;
  uint64_t weight_bytes = 0;  // that each token goes through
};

// The part of a cascade's time that is taken for the large guard's, from 0 to 1. No clock of the host's stands between
// the two, so that it goes by the work: a token's time is as its guard's weights, read or multiplied by.
double large_share(const PassWork& small, const PassWork& large);

// Guarded by the scheduler's mutex.
class PassPace {
 public:
  // `batch_ms` is what a pass is meant to take at most.
  explicit PassPace(double batch_ms) : batch_ms_(batch_ms) {}

  // Takes in a pass that computed `tokens` in `ms`. Passes of a few tokens say little: they wait for the weights.
  void record(int64_t tokens, double ms);

  // Tokens of a pass that takes no longer than it is meant to, `batch_tokens` at most.
  int64_t budget_tokens(int64_t batch_tokens) const;

  // What a pass over `tokens` is expected to take; until one was measured, as long as it may.
  double predicted_ms(int64_t tokens) const;

 private:
  const double batch_ms_;
  std::optional<double> ms_per_token_;
};

}  // namespace saferoute::engine
