#include "engine/lane_queue.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace saferoute::engine {
namespace {

// A row with a deadline is begun so long before it, in predicted times of its pass: the prediction may be off by half.
constexpr double kDeadlinePasses = 2;

}  // namespace

LaneQueue::LaneQueue(LaneId lane, const EngineOptions& options)
    : lane_(lane),
      batch_tokens_(options.batch_tokens),
      batch_rows_(static_cast<size_t>(options.batch_rows)),
      max_wait_ms_(options.max_wait_ms),
      waiting_(options.max_wait_ms),
      pace_(options.batch_ms) {}

void LaneQueue::push(JobList& from, JobList::iterator job, Clock::time_point now) {
  job->lane = lane_;
  if (!job->is_route()) job->new_tokens = static_cast<int32_t>(job->ids().size()) - cache_->match(job->ids());
  waiting_.push(from, job, now);
}

// The small guard reads every message, so that its passes are cut by tokens alone; the large one's are cut by time.
int64_t LaneQueue::budget_tokens() const {
  return lane_ == LaneId::kSmall ? batch_tokens_ : pace_.budget_tokens(batch_tokens_);
}

Clock::time_point LaneQueue::next_start(bool gathers) const {
  if (waiting_.empty() || is_lent()) return Clock::time_point::max();
  const int64_t budget = budget_tokens();
  const bool is_full = waiting_.new_tokens() >= budget || waiting_.size() >= batch_rows_;
  if (!gathers || unfinished_ || is_full) return Clock::time_point::min();
  const Clock::time_point oldest_goes = later(waiting_.oldest_arrival(), max_wait_ms_);
  const Clock::time_point deadline = waiting_.earliest_deadline();
  if (deadline == Clock::time_point::max()) return oldest_goes;
  return std::min(oldest_goes, later(deadline, -kDeadlinePasses * pace_.predicted_ms(waiting_.new_tokens())));
}

JobList LaneQueue::take_overdue(Clock::time_point now) {
  JobList overdue;
  for (const JobList::iterator job : waiting_.overdue(now)) waiting_.take(job, overdue);
  return overdue;
}

Flight& LaneQueue::cut(Clock::time_point now) {
  const std::vector<JobList::iterator> line = waiting_.line(now, PassCut::longest_line(batch_rows_));
  flight_.stop = std::stop_source();
  const int64_t budget = budget_tokens();
  flight_tokens_ = 0;
  if (line.front()->is_route()) {
    take_route_jobs(line);
  } else {
    flight_tokens_ = PassCut(waiting_, *cache_, unfinished_, budget, batch_rows_).take(line, flight_.jobs);
    totals_.batches += 1;
    totals_.rows += flight_.jobs.size();
    totals_.tokens += static_cast<uint64_t>(flight_tokens_);
    totals_.budget_tokens += static_cast<uint64_t>(budget);
  }
  wanted_ = flight_.jobs.size();
  for (Job& job : flight_.jobs) {
    job.in_flight = true;
    job.event.timing.queue_ms += milliseconds(now - job.waiting_since);
    if (!job.starts_in_flight()) continue;
    job.event.cached_tokens += job.ready_tokens;
    totals_.cached_tokens += static_cast<uint64_t>(job.ready_tokens);
  }
  return flight_;
}

void LaneQueue::take_route_jobs(std::span<const JobList::iterator> line) {
  for (const JobList::iterator job : line) {
    if (!job->is_route() || flight_.jobs.size() == batch_rows_) return;
    waiting_.take(job, flight_.jobs);
  }
}

void LaneQueue::put_back(JobList::iterator job, Clock::time_point now) {
  job->new_tokens = static_cast<int32_t>(job->ids().size()) - job->ready_tokens;
  waiting_.put_back(flight_.jobs, job, now);
}

void LaneQueue::end_lease(JobList::iterator job, bool keep) {
  if (unfinished_ == job) unfinished_.reset();
  if (!job->lease) return;
  const PageLease lease = *std::exchange(job->lease, std::nullopt);
  overflow_freed_ |= cache_->finish(lease, job->ids(), job->ready_tokens, keep);
  job->ready_tokens = 0;
}

std::optional<std::stop_source> LaneQueue::drop(JobList::iterator job) {
  if (!job->in_flight) {
    end_lease(job, true);
    waiting_.erase(job);
    return std::nullopt;
  }
  job->cancelled = true;
  wanted_ -= 1;
  if (wanted_ > 0) return std::nullopt;
  return flight_.stop;
}

bool LaneQueue::take_overflow_release() {
  overflow_released_ = std::exchange(overflow_freed_, false);
  return overflow_released_;
}

std::optional<LargeClaim> LaneQueue::lend(const JobList& flight, EscalationPlan plan) {
  if (!is_idle() || is_lent() || overflow_freed_ || overflow_released_) return std::nullopt;
  lent_budget_tokens_ = budget_tokens();
  std::optional<LargeClaim> claim = claim_rows(flight, std::move(plan), *cache_, lent_budget_tokens_);
  if (claim) lent_rows_ = claim->rows;
  return claim;
}

void LaneQueue::take_back(const LargeClaim& claim, const JobList& flight, std::span<const JobOutcome> outcomes,
                          double large_ms) {
  lent_rows_ = 0;
  uint64_t rows = 0;
  int64_t tokens = 0;
  auto outcome = outcomes.begin();
  auto lease = claim.leases.begin();
  for (const Job& job : flight) {
    const std::optional<LargeOutcome>& large = (outcome++)->large;
    const std::optional<PageLease>& held = *lease++;
    if (!held) continue;
    const std::vector<int32_t>& ids = job.ids_for(LaneId::kLarge);
    cache_->finish(*held, ids, large ? static_cast<int32_t>(ids.size()) : held->cached_tokens,
                   !(large && large->outcome.error));
    if (!large) continue;
    rows += 1;
    tokens += large->computed_tokens;
    totals_.cached_tokens += static_cast<uint64_t>(large->cached_tokens);
  }
  if (rows == 0) return;
  totals_.batches += 1;
  totals_.rows += rows;
  totals_.tokens += static_cast<uint64_t>(tokens);
  totals_.budget_tokens += static_cast<uint64_t>(lent_budget_tokens_);
  pace_.record(tokens, large_ms);
}

JobList LaneQueue::end() {
  JobList taken;
  while (!waiting_.empty()) {
    const JobList::iterator job = waiting_.oldest();
    end_lease(job, false);
    waiting_.take(job, taken);
  }
  totals_.evicted_pages = cache_->stats().evicted_pages;
  cache_.reset();
  return taken;
}

LaneStats LaneQueue::stats() const {
  LaneStats stats = totals_;
  stats.queued = waiting_.size();
  stats.running = flight_.jobs.size() + lent_rows_;
  if (!cache_) return stats;
  const PrefixCacheStats pages = cache_->stats();
  stats.evicted_pages = pages.evicted_pages;
  stats.kv_pages = pages.pages;
  stats.kv_pages_used = pages.pages_used;
  return stats;
}

}  // namespace saferoute::engine
