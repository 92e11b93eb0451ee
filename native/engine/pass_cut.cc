#include "engine/pass_cut.h"

#include <algorithm>
#include <utility>

namespace saferoute::engine {
namespace {

// Full pages that two prompts must have in common, uncached, for one to wait until the other has computed them.
constexpr size_t kWorthwhilePages = 2;

}  // namespace

int64_t PassCut::take(std::span<const JobList::iterator> line, JobList& flight) {
  size_t passed_over = 0;
  for (const JobList::iterator job : line) {
    if (job->is_route() || left_tokens_ == 0 || flight.size() == batch_rows_ || passed_over == batch_rows_) break;
    const Fit fit = take_one(job, flight);
    if (fit == Fit::kFull) break;
    if (fit == Fit::kLater) passed_over += 1;
  }
  // The first in line may need pages, or a turn, that the unfinished prompt holds.
  if (flight.empty() && unfinished_) take_one(*unfinished_, flight);
  return budget_tokens_ - left_tokens_;
}

PassCut::Fit PassCut::take_one(JobList::iterator job, JobList& flight) {
  const bool begins = !job->has_begun();
  if (begins) {
    if (waits_for_prefix(*job, flight)) return Fit::kLater;
    job->lease = cache_.lease(job->ids());
    if (!job->lease) return Fit::kFull;
    job->ready_tokens = job->lease->cached_tokens;
  }
  job->slice_tokens = slice_of(*job, flight);
  if (job->slice_tokens == 0) {
    if (begins) {
      cache_.finish(*std::exchange(job->lease, std::nullopt), job->ids(), 0, false);
      job->ready_tokens = 0;
    }
    return Fit::kFull;
  }
  left_tokens_ -= job->slice_tokens;
  if (!job->ends_in_flight()) {
    unfinished_ = job;
  } else if (unfinished_ == job) {
    unfinished_.reset();
  }
  waiting_.take(job, flight);
  return Fit::kTaken;
}

// A prompt is cut only where it is longer than a whole pass, or was cut before; and at the end of a page if one is in
// reach.
int32_t PassCut::slice_of(const Job& job, const JobList& flight) const {
  const int64_t rest = static_cast<int64_t>(job.ids().size()) - job.ready_tokens;
  if (rest <= left_tokens_) return static_cast<int32_t>(rest);
  const bool is_unfinished = unfinished_ && &**unfinished_ == &job;
  if (!is_unfinished && (unfinished_ || rest <= budget_tokens_)) return 0;
  const int64_t page_end = (job.ready_tokens + left_tokens_) / kPageTokens * kPageTokens;
  if (page_end > job.ready_tokens) return static_cast<int32_t>(page_end - job.ready_tokens);
  return flight.empty() ? static_cast<int32_t>(left_tokens_) : 0;
}

// Whether the pass computes, for another prompt, pages that this one will then find cached.
bool PassCut::waits_for_prefix(const Job& job, const JobList& flight) const {
  if (flight.empty()) return false;
  const size_t cached_pages = (static_cast<size_t>(cache_.match(job.ids())) + kPageTokens - 1) / kPageTokens;
  const size_t tokens = (cached_pages + kWorthwhilePages) * kPageTokens;
  if (job.ids().size() < tokens) return false;
  const auto begins_alike = [&](const Job& other) {
    return other.ids().size() >= tokens &&
           std::equal(job.ids().begin(), job.ids().begin() + static_cast<ptrdiff_t>(tokens), other.ids().begin());
  };
  return std::any_of(flight.begin(), flight.end(), begins_alike);
}

}  // namespace saferoute::engine
