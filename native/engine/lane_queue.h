// The jobs of one lane, those that wait and the pass in flight, and the pages of its guard. Guarded by the scheduler's
// mutex; every time comes from the caller.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>

#include "engine/engine.h"
#include "engine/job.h"
#include "engine/large_claim.h"
#include "engine/pass_cut.h"
#include "engine/pass_pace.h"
#include "engine/prefix_cache.h"
#include "engine/reading.h"
#include "engine/waiting_jobs.h"

namespace saferoute::engine {

// What a lane works on: either requests that make one pass, or route jobs.
struct Flight {
  JobList jobs;
  std::stop_source stop;            // fires once nobody wants any of the jobs
  std::optional<LargeClaim> claim;  // of a flight of the small guard that goes through both guards in one pass

  bool is_route() const { return jobs.front().is_route(); }
};

class LaneQueue {
 public:
  LaneQueue(LaneId lane, const EngineOptions& options);

  // Once the guard stands, before any other call.
  void guard_loaded(int32_t kv_pages) { cache_.emplace(kv_pages); }

  // Moves `job` from `from` into the line.
  void push(JobList& from, JobList::iterator job, Clock::time_point now);

  bool is_idle() const { return waiting_.empty() && flight_.jobs.empty(); }

  // When a pass is to start, if nothing else happens: Clock::time_point::min() for at once, max() for never; before any
  // deadline passes. A lane that gathers leaves its rows waiting for others to share a pass with, as long as none of
  // them suffers by it.
  Clock::time_point next_start(bool gathers) const;

  // Takes out the jobs whose deadline has passed and that no pass has begun.
  JobList take_overdue(Clock::time_point now);

  // Puts the next pass in flight: requests as PassCut takes them, or a run of route jobs. Something must be waiting,
  // and nothing in flight.
  Flight& cut(Clock::time_point now);

  // After a pass: takes in that it took `pass_ms`; for each of its jobs, either puts back one whose prompt goes on in a
  // later pass, or ends its hold on pages. What was computed of the prompt stays cached if `keep`.
  void record_pass(double pass_ms) { pace_.record(flight_tokens_, pass_ms); }
  void put_back(JobList::iterator job, Clock::time_point now);
  void end_lease(JobList::iterator job, bool keep);

  // Drops a job of this lane. Where it is in flight it is only marked; the last one so marked returns the stop source
  // of the flight, to be fired without the mutex.
  std::optional<std::stop_source> drop(JobList::iterator job);

  // Whether pages beyond the budget have become free since the last call, for the lane to give back at once.
  bool take_overflow_release();

  // Lends the large guard to a cascade, for the rows of `flight` that `plan` does not forbid and claim_rows() takes:
  // nothing starts here until it is taken back. Empty, and nothing lent, where none is left or the lane does not rest,
  // which is while it has a job, or its thread another use for the backend.
  std::optional<LargeClaim> lend(const JobList& flight, EscalationPlan plan);
  bool is_lent() const { return lent_rows_ > 0; }

  // After the pass, of which the large guard's part is taken to be `large_ms`: counts the rows that it has read as
  // those of a pass of its own, and ends the claim's hold on pages. What was computed in these stays cached, unless the
  // reading of it was no number. `outcomes` (jobs of the flight).
  void take_back(const LargeClaim& claim, const JobList& flight, std::span<const JobOutcome> outcomes, double large_ms);

  Flight& flight() { return flight_; }
  int64_t flight_tokens() const { return flight_tokens_; }

  // Nothing will run here any more: takes out what waits, and gives back the cache's memory, which may be long before
  // the engine's own end. What was counted stays.
  JobList end();
  LaneStats stats() const;

 private:
  int64_t budget_tokens() const;
  void take_route_jobs(std::span<const JobList::iterator> line);

  const LaneId lane_;
  const int64_t batch_tokens_;
  const size_t batch_rows_;
  const double max_wait_ms_;
  WaitingJobs waiting_;
  Unfinished unfinished_;
  Flight flight_;
  size_t wanted_ = 0;          // jobs of the flight that were not cancelled
  int64_t flight_tokens_ = 0;  // that the flight computes
  std::optional<PrefixCache> cache_;
  bool overflow_freed_ = false;
  bool overflow_released_ = false;  // by the lane's thread, since its last turn
  uint64_t lent_rows_ = 0;          // that a cascade may read
  int64_t lent_budget_tokens_ = 0;
  PassPace pace_;
  LaneStats totals_;
};

}  // namespace saferoute::engine
