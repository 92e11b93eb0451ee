// The jobs that wait for one lane, in the order in which they go: interactive before bulk, within a class the earliest
// deadline first, then the order of arrival. Those that have waited for long get a share of the passes all the same.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "engine/job.h"

namespace saferoute::engine {

// Guarded by the scheduler's mutex.
class WaitingJobs {
  struct Rank {
    Priority priority;
    Clock::time_point deadline;
    uint64_t arrival;

    auto operator<=>(const Rank&) const = default;
  };
  using Ranking = std::map<Rank, JobList::iterator>;

 public:
  // A bulk job counts as interactive once it has waited for `max_wait_ms`, or for half of the time that it has: behind
  // interactive ones that never end it would else wait for its deadline to pass.
  explicit WaitingJobs(double max_wait_ms) : max_wait_ms_(max_wait_ms) {}

  // Moves `job` from `from` into the line, at `now`; `put_back` gives it the place that it had before.
  void push(JobList& from, JobList::iterator job, Clock::time_point now);
  void put_back(JobList& from, JobList::iterator job, Clock::time_point now);

  // Moves `job` to the end of `to`.
  void take(JobList::iterator job, JobList& to);
  void erase(JobList::iterator job);

  // The first `most` of the line as the next pass finds it. Where some have waited for `max_wait_ms`, every second pass
  // begins with these, oldest first: without a deadline they would else never come through deadlines that never end,
  // nor, if all passes began with them, the deadlines through a backlog that never ends.
  std::vector<JobList::iterator> line(Clock::time_point now, size_t most);

  bool empty() const { return jobs_.empty(); }
  JobList::iterator oldest() { return jobs_.begin(); }
  size_t size() const { return jobs_.size(); }
  int64_t new_tokens() const { return new_tokens_; }
  Clock::time_point oldest_arrival() const { return jobs_.front().arrived_at; }

  // Of the jobs that no pass has begun; Clock::time_point::max() without one.
  Clock::time_point earliest_deadline() const;
  std::vector<JobList::iterator> overdue(Clock::time_point now) const;

 private:
  static Rank rank(const Job& job) { return {job.priority, job.deadline, job.arrival}; }
  using Promotion = std::pair<Clock::time_point, uint64_t>;  // when, and the job's arrival

  Promotion promotion(const Job& job) const;
  void insert(JobList& from, JobList::iterator job, Clock::time_point now, JobList::iterator before);
  void promote(Clock::time_point now);
  void forget(const Job& job);
  Ranking::const_iterator first_not_begun(Priority priority) const;

  const double max_wait_ms_;
  JobList jobs_;  // in the order of their arrival
  Ranking ranking_;
  std::map<Promotion, JobList::iterator> bulk_;  // those that have not waited long enough
  uint64_t arrivals_ = 0;
  int64_t new_tokens_ = 0;
  bool oldest_go_first_ = false;  // in the pass that was cut last
};

}  // namespace saferoute::engine
