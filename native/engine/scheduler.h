// Every request's state and both lanes' queues, behind one mutex. Callers put work in; each lane's thread takes flights
// out and brings outcomes back. What callers are to be told leaves as events, which the lane delivers without the
// mutex.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "engine/engine.h"
#include "engine/job.h"
#include "engine/lane_queue.h"
#include "engine/stage_latencies.h"
#include "engine/valves.h"

namespace saferoute::engine {

// What a lane is to do next, in this order.
struct Turn {
  std::vector<Event> events;       // to deliver: of jobs whose deadline passed
  bool release_overflow = false;   // the backend may free its pages beyond the budget
  const Flight* flight = nullptr;  // to run; null where there is nothing to run yet
};

class Scheduler {
 public:
  // Throws Error(kInvalidArgument) for options outside their range.
  Scheduler(const EngineOptions& options, bool has_large);

  // For callers, on any thread: as in Engine.
  Ticket submit(Request request);
  Ticket route(std::vector<float> feature);
  std::optional<double> route_here(std::span<const float> feature);
  bool cancel(Ticket ticket);
  EngineStats stats() const;
  const GuardInfo& info(LaneId lane) const { return lanes_[index(lane)].info; }

  // Refuses new work, stops loads and passes, and wakes the lanes so that they fail what they hold.
  void close();

  // For the lane's thread, while its guard loads. `guard_loaded` returns true where this guard was the last: the lane
  // then reports that the engine stands. Throws Error(kInvalidArgument) for a guard that does not fit the options,
  // Error(kClosed) where the engine was closed in the meantime. `load_failed` closes the engine and returns what the
  // lane is to report, which is nothing where another lane has reported.
  std::stop_token load_stop() const { return load_stop_.get_token(); }
  bool guard_loaded(LaneId lane, const GuardInfo& info);
  std::optional<Error> load_failed(const Error& error);

  // For the lane's thread, after the load. `next` waits for something to do, and returns nothing once the engine is
  // closed. A flight stays the lane's until `settle`, which takes an outcome per job and leaves in flight only the jobs
  // that go on to the large guard; `hand_over` moves these, once their stage events are delivered. While a flight of
  // the small lane has a claim on the large guard, `next` keeps that guard's own lane waiting, and its backend alive.
  // `drain` fails what still waits, at the end.
  std::optional<Turn> next(LaneId lane);
  std::vector<Event> settle(LaneId lane, std::vector<JobOutcome> outcomes, double pass_ms);
  std::vector<Event> hand_over();
  std::vector<Event> drain(LaneId lane);

 private:
  enum class State { kLoading, kOpen, kClosed };

  // How long a pass took; for a row of a cascade that both guards have read, also how that divides between the two.
  struct PassTime {
    double pass_ms = 0;
    double small_ms = 0;
    double large_ms = 0;
  };

  struct Lane {
    LaneQueue queue;
    std::condition_variable wake;
    GuardInfo info;  // written once, while loading; but for the router, which goes with the close
  };

  static size_t index(LaneId lane) { return static_cast<size_t>(lane); }
  Lane& lane_of(LaneId lane) { return lanes_[index(lane)]; }
  const GuardInfo* large_info() const { return has_large_ ? &info(LaneId::kLarge) : nullptr; }

  void require_open() const;
  Ticket admit(JobList single);
  bool gathers(LaneId lane) const;
  void claim_large(Flight& flight);
  std::vector<Event> fail_overdue(Lane& lane, Clock::time_point now);

  PassTime end_claim(Flight& flight, std::span<const JobOutcome> outcomes, double pass_ms);
  void settle_job(LaneQueue& queue, JobList::iterator job, JobOutcome& outcome, const PassTime& time,
                  Clock::time_point now, std::vector<Event>& events);
  bool awaits_rule(const Job& job) const;
  std::optional<Error> decide(Job& job, Clock::time_point now, std::vector<Event>& events);
  Event finish(Job& job, const std::optional<Error>& error);
  Event fail_closed(Job& job);

  const EngineOptions options_;
  const bool has_large_;
  std::stop_source load_stop_;

  mutable std::mutex mutex_;
  State state_ = State::kLoading;
  int guards_missing_;
  bool load_reported_ = false;
  Lane lanes_[2];
  std::unordered_map<Ticket, JobList::iterator> pending_;  // every job that was neither settled nor cancelled
  Ticket last_ticket_ = 0;
  uint64_t next_sequence_ = 0;
  Valves valves_;
  EngineStats totals_;
  StageLatencies latencies_;
};

}  // namespace saferoute::engine
