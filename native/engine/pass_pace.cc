#include "engine/pass_pace.h"

#include <algorithm>

namespace saferoute::engine {
namespace {

constexpr int64_t kFewestMeasured = 16;     // tokens of a pass whose time is taken in
constexpr double kNewestShare = 0.25;       // of the newest pass in the running mean
constexpr int64_t kUnmeasuredBudget = 256;  // tokens

// Tokens. A pass reads all weights whatever it computes, which takes as long as computing with some forty tokens; and a
// budget that may fall below that falls on, since shorter passes make each token dearer.
constexpr int64_t kSmallestBudget = 128;

double work_of(const PassWork& pass) {
  return static_cast<double>(pass.tokens) * std::max(1.0, static_cast<double>(pass.weight_bytes));
}

}  // namespace

double large_share(const PassWork& small, const PassWork& large) {
  const double all = work_of(small) + work_of(large);
  return all > 0 ? work_of(large) / all : 0;
}

void PassPace::record(int64_t tokens, double ms) {
  if (tokens < kFewestMeasured) return;
  const double newest = ms / static_cast<double>(tokens);
  ms_per_token_ = ms_per_token_ ? *ms_per_token_ + kNewestShare * (newest - *ms_per_token_) : newest;
}

int64_t PassPace::budget_tokens(int64_t batch_tokens) const {
  if (!ms_per_token_) return std::min(batch_tokens, kUnmeasuredBudget);
  const double in_time = std::max(batch_ms_ / *ms_per_token_, static_cast<double>(kSmallestBudget));
  return static_cast<int64_t>(std::min(static_cast<double>(batch_tokens), in_time));
}

double PassPace::predicted_ms(int64_t tokens) const {
  return ms_per_token_ ? *ms_per_token_ * static_cast<double>(tokens) : batch_ms_;
}

}  // namespace saferoute::engine
