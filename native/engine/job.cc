#include "engine/job.h"

#include <utility>

namespace saferoute::engine {

void Job::record_slice(double pass_ms) {
  if (is_route()) return;
  ready_tokens += slice_tokens;
  event.computed_tokens += slice_tokens;
  slice_tokens = 0;
  (lane == LaneId::kSmall ? event.timing.small_ms : event.timing.large_ms) += pass_ms;
}

void Job::record(Outcome&& outcome) {
  if (is_route() || lane == LaneId::kSmall) event.hardness = outcome.hardness;
  if (is_route()) return;
  (lane == LaneId::kSmall ? event.small : event.large) = std::move(outcome.reading);
}

void Job::record_large(LargeOutcome&& large, double large_ms) {
  event.cached_tokens += large.cached_tokens;
  if (large.outcome.error) return;
  event.computed_tokens += large.computed_tokens;
  event.timing.large_ms += large_ms;
  event.large = std::move(large.outcome.reading);
}

Event Job::done() {
  event.kind = is_route() ? Event::Kind::kRouted : Event::Kind::kDone;
  event.timing.total_ms = milliseconds(Clock::now() - submitted_at);
  return std::move(event);
}

Event Job::failed(const Error& error) {
  event.kind = Event::Kind::kError;
  event.timing.total_ms = milliseconds(Clock::now() - submitted_at);
  event.error_code = error.code();
  event.error_message = error.what();
  return std::move(event);
}

Event Job::stage() {
  event.kind = Event::Kind::kStage;
  event.timing.total_ms = milliseconds(Clock::now() - submitted_at);
  return event;
}

}  // namespace saferoute::engine
