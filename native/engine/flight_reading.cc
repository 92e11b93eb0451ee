#include "engine/flight_reading.h"

#include <string>
#include <utility>

#include "engine/device_cascade.h"
#include "engine/pass_batch.h"

namespace saferoute::engine {
namespace {

std::vector<JobOutcome> outcomes_of(const BatchReading& reading, const GuardInfo& info, LaneId lane,
                                    const Flight& flight) {
  std::vector<JobOutcome> outcomes;
  outcomes.reserve(flight.jobs.size());
  int32_t row = 0;
  for (const Job& job : flight.jobs) {
    JobOutcome& outcome = outcomes.emplace_back();
    // What is read in the middle of a prompt means nothing.
    if (job.ends_in_flight()) outcome.own = read_row(reading, info, guard_name(lane), row, job.request.want_feature);
    row += 1;
  }
  return outcomes;
}

// A row that the plan forbids has no prompt on the device: what is said of it is of nothing.
void check_hard_rows(const CascadeReading& reading, const EscalationPlan& plan) {
  int32_t least = 0;
  for (const int32_t row : reading.hard_rows) {
    if (row < least || std::cmp_greater_equal(row, plan.rows.size()) ||
        plan.rows[static_cast<size_t>(row)] == RowRule::kForbidden) {
      throw Error(ErrorCode::kBackend, "a cascade of " + std::to_string(plan.rows.size()) +
                                           " rows says that the large guard has read row " + std::to_string(row) +
                                           ", which was not to be, or not in that order");
    }
    least = row + 1;
  }
}

}  // namespace

std::vector<JobOutcome> read_flight(Backend& backend, const Flight& flight, LaneId lane, PassBatches& batches) {
  fill_batch(batches.own, flight);
  const BatchReading reading = backend.forward(batches.own, flight.stop.get_token());
  check_shape(reading, batches.own.rows(), batches.own.want_features, backend.info(), guard_name(lane));
  return outcomes_of(reading, backend.info(), lane, flight);
}

std::vector<JobOutcome> read_cascade(Backend& small, const GuardInfo& large, const Flight& flight,
                                     PassBatches& batches) {
  const LargeClaim& claim = *flight.claim;
  fill_batch(batches.own, flight);
  fill_large_batch(batches.large, flight);
  const CascadeReading reading = small.cascade(batches.own, batches.large, claim.plan, flight.stop.get_token());
  check_hard_rows(reading, claim.plan);
  check_shape(reading.small, batches.own.rows(), batches.own.want_features, small.info(), guard_name(LaneId::kSmall));
  check_shape(reading.large, static_cast<int32_t>(reading.hard_rows.size()), batches.large.want_features, large,
              guard_name(LaneId::kLarge));
  std::vector<JobOutcome> outcomes = outcomes_of(reading.small, small.info(), LaneId::kSmall, flight);
  auto job = flight.jobs.begin();
  int32_t row = 0, hard_row = 0;
  for (const int32_t hard : reading.hard_rows) {
    for (; row < hard; ++row) ++job;
    const auto index = static_cast<size_t>(row);
    outcomes[index].large = LargeOutcome{
        .outcome = read_row(reading.large, large, guard_name(LaneId::kLarge), hard_row, job->request.want_feature),
        .cached_tokens = claim.leases[index]->cached_tokens,
        .computed_tokens = batches.large.row_offsets[index + 1] - batches.large.row_offsets[index]};
    hard_row += 1;
  }
  return outcomes;
}

}  // namespace saferoute::engine
