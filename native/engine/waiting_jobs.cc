#include "engine/waiting_jobs.h"

#include <algorithm>
#include <utility>

namespace saferoute::engine {

void WaitingJobs::push(JobList& from, JobList::iterator job, Clock::time_point now) {
  job->arrival = arrivals_++;
  job->arrived_at = now;
  job->priority = job->request.priority;
  insert(from, job, now, jobs_.end());
}

void WaitingJobs::put_back(JobList& from, JobList::iterator job, Clock::time_point now) {
  const auto younger = [&](const Job& other) { return other.arrival > job->arrival; };
  insert(from, job, now, std::find_if(jobs_.begin(), jobs_.end(), younger));
}

void WaitingJobs::insert(JobList& from, JobList::iterator job, Clock::time_point now, JobList::iterator before) {
  new_tokens_ += job->new_tokens;
  try {
    ranking_.emplace(rank(*job), job);
    if (job->priority == Priority::kBulk) bulk_.emplace(promotion(*job), job);
  } catch (...) {
    forget(*job);
    throw;
  }
  job->in_flight = false;
  job->waiting_since = now;
  jobs_.splice(before, from, job);
}

void WaitingJobs::take(JobList::iterator job, JobList& to) {
  forget(*job);
  to.splice(to.end(), jobs_, job);
}

void WaitingJobs::erase(JobList::iterator job) {
  forget(*job);
  jobs_.erase(job);
}

void WaitingJobs::forget(const Job& job) {
  ranking_.erase(rank(job));
  bulk_.erase(promotion(job));
  new_tokens_ -= job.new_tokens;
}

WaitingJobs::Promotion WaitingJobs::promotion(const Job& job) const {
  const Clock::time_point patience = later(job.arrived_at, max_wait_ms_);
  if (job.deadline == Clock::time_point::max()) return {patience, job.arrival};
  return {std::min(patience, job.arrived_at + (job.deadline - job.arrived_at) / 2), job.arrival};
}

void WaitingJobs::promote(Clock::time_point now) {
  while (!bulk_.empty()) {
    const auto [due, job] = *bulk_.begin();
    if (due.first > now) return;
    bulk_.erase(bulk_.begin());
    auto entry = ranking_.extract(rank(*job));
    job->priority = Priority::kInteractive;
    entry.key() = rank(*job);
    ranking_.insert(std::move(entry));
  }
}

std::vector<JobList::iterator> WaitingJobs::line(Clock::time_point now, size_t most) {
  promote(now);
  const auto has_waited = [&](const Job& job) { return later(job.arrived_at, max_wait_ms_) <= now; };
  oldest_go_first_ = !oldest_go_first_ && !jobs_.empty() && has_waited(jobs_.front());
  std::vector<JobList::iterator> line;
  if (oldest_go_first_) {
    for (auto job = jobs_.begin(); job != jobs_.end() && has_waited(*job) && line.size() < most; ++job) {
      line.push_back(job);
    }
  }
  for (auto entry = ranking_.begin(); entry != ranking_.end() && line.size() < most; ++entry) {
    if (!oldest_go_first_ || !has_waited(*entry->second)) line.push_back(entry->second);
  }
  return line;
}

// At most one waiting job has begun, so that this looks at two at most.
WaitingJobs::Ranking::const_iterator WaitingJobs::first_not_begun(Priority priority) const {
  auto entry = ranking_.lower_bound({.priority = priority, .deadline = Clock::time_point::min(), .arrival = 0});
  while (entry != ranking_.end() && entry->second->has_begun()) ++entry;
  return entry;
}

Clock::time_point WaitingJobs::earliest_deadline() const {
  Clock::time_point earliest = Clock::time_point::max();
  for (const Priority priority : {Priority::kInteractive, Priority::kBulk}) {
    const auto first = first_not_begun(priority);
    if (first != ranking_.end()) earliest = std::min(earliest, first->second->deadline);
  }
  return earliest;
}

std::vector<JobList::iterator> WaitingJobs::overdue(Clock::time_point now) const {
  std::vector<JobList::iterator> overdue;
  for (const Priority priority : {Priority::kInteractive, Priority::kBulk}) {
    for (auto entry = first_not_begun(priority); entry != ranking_.end(); ++entry) {
      if (entry->first.priority != priority || entry->first.deadline > now) break;
      if (!entry->second->has_begun()) overdue.push_back(entry->second);
    }
  }
  return overdue;
}

}  // namespace saferoute::engine
