// A lane's queue without a lane, a guard or a clock: the test cuts the passes, and says at what time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/fake_guard.h"
#include "engine/lane_queue.h"

namespace saferoute::engine {

inline constexpr double kNever = 1e11;  // ms

// One row of a pass: the prompt's first token, and how many were computed.
struct Row {
  int32_t tag;
  int32_t tokens;

  bool operator==(const Row&) const = default;
};

inline void PrintTo(const Row& row, std::ostream* out) { *out << "{" << row.tag << ", " << row.tokens << "}"; }

class LaneQueueTest : public testing::Test {
 protected:
  struct Limits {
    int32_t batch_tokens = 2048;
    int32_t batch_rows = 256;
    double batch_ms = 250;
    double max_wait_ms = 100;
    int32_t kv_pages = 1024;
  };

  void open(LaneId lane, const Limits& limits) {
    EngineOptions options;
    options.batch_tokens = limits.batch_tokens;
    options.batch_rows = limits.batch_rows;
    options.batch_ms = limits.batch_ms;
    options.max_wait_ms = limits.max_wait_ms;
    queue_.emplace(lane, options);
    queue_->guard_loaded(limits.kv_pages);
  }

  static Clock::time_point at(double ms) { return later(Clock::time_point() + std::chrono::hours(1), ms); }

  // A request that comes to the queue at `ms`.
  JobList::iterator push(std::vector<int32_t> ids, double ms = 0, Priority priority = Priority::kInteractive,
                         double deadline_ms = kNever) {
    JobList single(1);
    const JobList::iterator job = single.begin();
    job->request.small_ids = std::move(ids);
    job->request.priority = priority;
    if (deadline_ms < kNever) job->deadline = at(deadline_ms);
    queue_->push(single, job, at(ms));
    return job;
  }

  JobList::iterator push_route(double ms = 0) {
    JobList single(1);
    const JobList::iterator job = single.begin();
    job->feature = {1};
    queue_->push(single, job, at(ms));
    return job;
  }

  // Cuts a pass and says what is in it; a route job is {0, 0}.
  std::vector<Row> cut(double ms = 0) {
    std::vector<Row> rows;
    for (const Job& job : queue_->cut(at(ms)).jobs) {
      rows.push_back(job.is_route() ? Row{0, 0} : Row{job.ids().front(), job.slice_tokens});
    }
    return rows;
  }

  // Ends the pass in flight, every row of it well.
  void settle(double ms = 0, double pass_ms = 1) {
    queue_->record_pass(pass_ms);
    JobList& jobs = queue_->flight().jobs;
    while (!jobs.empty()) {
      const JobList::iterator job = jobs.begin();
      const bool is_last = job->is_route() || job->ends_in_flight();
      job->record_slice(pass_ms);
      if (is_last) {
        queue_->end_lease(job, true);
        jobs.erase(job);
      } else {
        queue_->put_back(job, at(ms));
      }
    }
  }

  // Cuts and ends passes until nothing waits.
  std::vector<std::vector<Row>> run() {
    std::vector<std::vector<Row>> passes;
    while (!queue_->is_idle()) {
      passes.push_back(cut());
      settle();
    }
    return passes;
  }

  std::optional<LaneQueue> queue_;
};

// `length` tokens that begin with `tag` and have nothing in common with a prompt of another tag after it.
inline std::vector<int32_t> lone_prompt(int32_t tag, size_t length) { return std::vector<int32_t>(length, tag); }

}  // namespace saferoute::engine
