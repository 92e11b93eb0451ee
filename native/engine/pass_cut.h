// Which of the waiting prompts, and how much of each, make the next pass of a lane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "engine/job.h"
#include "engine/prefix_cache.h"
#include "engine/waiting_jobs.h"

namespace saferoute::engine {

// A prompt that was begun and not ended: its next slice is for a later pass. There is at most one, so that pages held
// by half-computed prompts never keep all others from theirs.
using Unfinished = std::optional<JobList::iterator>;

// Cuts one pass. Lives as long as the cut, under the scheduler's mutex.
class PassCut {
 public:
  PassCut(WaitingJobs& waiting, PrefixCache& cache, Unfinished& unfinished, int64_t budget_tokens, size_t batch_rows)
      : waiting_(waiting),
        cache_(cache),
        unfinished_(unfinished),
        budget_tokens_(budget_tokens),
        batch_rows_(batch_rows),
        left_tokens_(budget_tokens) {}

  // Moves requests of `line` to `flight`, in order, as tokens, rows and pages allow: at least one, if a request is
  // first. Each has its lease and slice then. Returns the tokens that the pass computes.
  int64_t take(std::span<const JobList::iterator> line, JobList& flight);

  // So many of the line are looked at, at most: each is taken or passed over.
  static size_t longest_line(size_t batch_rows) { return 2 * batch_rows; }

 private:
  enum class Fit { kTaken, kLater, kFull };

  Fit take_one(JobList::iterator job, JobList& flight);
  int32_t slice_of(const Job& job, const JobList& flight) const;
  bool waits_for_prefix(const Job& job, const JobList& flight) const;

  WaitingJobs& waiting_;
  PrefixCache& cache_;
  Unfinished& unfinished_;
  const int64_t budget_tokens_;
  const size_t batch_rows_;
  int64_t left_tokens_;
};

}  // namespace saferoute::engine
