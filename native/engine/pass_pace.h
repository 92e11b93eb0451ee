// How fast a guard computes: measured pass by pass, so that the next one can be cut to a time.
#pragma once

#include <cstdint>
#include <optional>

namespace saferoute::engine {

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
