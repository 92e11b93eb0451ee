#include "engine/scheduler.h"

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>

#include "engine/admission.h"

namespace saferoute::engine {
namespace {

// Before anything is made of them.
const EngineOptions& checked(const EngineOptions& options, bool has_large) {
  check_options(options, has_large);
  return options;
}

Error closed_error() { return Error(ErrorCode::kClosed, "the engine is closed"); }

Error deadline_error(const Job& job) {
  std::ostringstream message;
  message << "the deadline of " << job.request.deadline_ms.value() << " ms passed before the " << guard_name(job.lane)
          << " began";
  return Error(ErrorCode::kDeadline, message.str());
}

}  // namespace

Scheduler::Scheduler(const EngineOptions& options, bool has_large)
    : options_(checked(options, has_large)),
      has_large_(has_large),
      guards_missing_(has_large ? 2 : 1),
      lanes_{{.queue = LaneQueue(LaneId::kSmall, options), .wake = {}, .info = {}},
             {.queue = LaneQueue(LaneId::kLarge, options), .wake = {}, .info = {}}},
      valves_(options.escalation, options.valves, options.unsafe_at) {}

void Scheduler::require_open() const {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kClosed) throw closed_error();
  if (state_ == State::kLoading) throw Error(ErrorCode::kInvalidArgument, "the engine is still loading");
}

Ticket Scheduler::submit(Request request) {
  require_open();
  check_request(request, may_escalate(options_.escalation, options_.valves), info(LaneId::kSmall), large_info());
  JobList single(1);
  Job& job = single.front();
  job.lane = request.target == Target::kLarge ? LaneId::kLarge : LaneId::kSmall;
  job.request = std::move(request);
  job.event.prompt_tokens = static_cast<int32_t>(job.ids().size());
  return admit(std::move(single));
}

Ticket Scheduler::route(std::vector<float> feature) {
  require_open();
  check_feature(feature, info(LaneId::kSmall));
  JobList single(1);
  single.front().feature = std::move(feature);
  return admit(std::move(single));
}

std::optional<double> Scheduler::route_here(std::span<const float> feature) {
  require_open();
  check_feature(feature, info(LaneId::kSmall));
  std::shared_ptr<const FeatureRouter> router;
  {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kClosed) throw closed_error();
    router = lane_of(LaneId::kSmall).info.feature_router;
  }
  if (!router) return std::nullopt;
  const float hardness = router->route(feature);
  const std::lock_guard lock(mutex_);
  totals_.submitted += 1;
  std::optional<Error> error = hardness_error(hardness);
  if (state_ == State::kClosed) error = closed_error();
  (error ? totals_.failed : totals_.completed) += 1;
  if (error) throw *error;
  return hardness;
}

Ticket Scheduler::admit(JobList single) {
  const JobList::iterator job = single.begin();
  const std::lock_guard lock(mutex_);
  if (state_ == State::kClosed) throw closed_error();
  if (pending_.size() >= static_cast<size_t>(options_.queue_requests)) {
    throw Error(ErrorCode::kOverloaded, "the queue is full: " + std::to_string(pending_.size()) +
                                            " requests wait or run, the limit is " +
                                            std::to_string(options_.queue_requests));
  }
  job->ticket = job->event.ticket = last_ticket_ + 1;
  if (!job->is_route()) job->sequence = next_sequence_;
  job->submitted_at = Clock::now();
  if (job->request.deadline_ms) job->deadline = later(job->submitted_at, *job->request.deadline_ms);
  const auto entry = pending_.emplace(job->ticket, job).first;
  try {
    lane_of(job->lane).queue.push(single, job, job->submitted_at);
  } catch (...) {
    pending_.erase(entry);
    throw;
  }
  last_ticket_ += 1;
  if (!job->is_route()) next_sequence_ += 1;
  totals_.submitted += 1;
  lane_of(job->lane).wake.notify_one();
  return job->ticket;
}

bool Scheduler::cancel(Ticket ticket) {
  std::optional<std::stop_source> unwanted;
  {
    const std::lock_guard lock(mutex_);
    const auto found = pending_.find(ticket);
    if (found == pending_.end()) return false;
    unwanted = lane_of(found->second->lane).queue.drop(found->second);
    pending_.erase(found);
    totals_.cancelled += 1;
  }
  if (unwanted) unwanted->request_stop();
  return true;
}

EngineStats Scheduler::stats() const {
  const std::lock_guard lock(mutex_);
  EngineStats stats = totals_;
  stats.small = lanes_[index(LaneId::kSmall)].queue.stats();
  stats.large = lanes_[index(LaneId::kLarge)].queue.stats();
  stats.valves = valves_.stats(Clock::now());
  latencies_.report(stats);
  return stats;
}

void Scheduler::close() {
  std::stop_source small_pass, large_pass;
  {
    const std::lock_guard lock(mutex_);
    state_ = State::kClosed;
    small_pass = lane_of(LaneId::kSmall).queue.flight().stop;
    large_pass = lane_of(LaneId::kLarge).queue.flight().stop;
    for (Lane& lane : lanes_) lane.wake.notify_one();
    lane_of(LaneId::kSmall).info.feature_router.reset();
  }
  load_stop_.request_stop();
  small_pass.request_stop();
  large_pass.request_stop();
}

bool Scheduler::guard_loaded(LaneId lane, const GuardInfo& info) {
  check_guard(info, guard_name(lane));
  if (lane == LaneId::kSmall) check_rule(options_.escalation, info);
  const std::lock_guard lock(mutex_);
  if (state_ == State::kClosed) throw closed_error();
  lane_of(lane).info = info;
  lane_of(lane).queue.guard_loaded(info.kv_pages);
  guards_missing_ -= 1;
  if (guards_missing_ > 0) return false;
  state_ = State::kOpen;
  load_reported_ = true;
  return true;
}

std::optional<Error> Scheduler::load_failed(const Error& error) {
  std::optional<Error> report;
  {
    const std::lock_guard lock(mutex_);
    if (!load_reported_) report = state_ == State::kClosed ? closed_error() : error;
    load_reported_ = true;
  }
  close();
  return report;
}

// The large lane lets its rows gather while the small guard has something to do.
bool Scheduler::gathers(LaneId id) const {
  return id == LaneId::kLarge && !lanes_[index(LaneId::kSmall)].queue.is_idle();
}

std::optional<Turn> Scheduler::next(LaneId id) {
  std::unique_lock lock(mutex_);
  Lane& lane = lane_of(id);
  while (state_ != State::kClosed) {
    const Clock::time_point now = Clock::now();
    Turn turn{.events = fail_overdue(lane, now), .release_overflow = lane.queue.take_overflow_release()};
    const Clock::time_point start = lane.queue.next_start(gathers(id));
    if (start <= now) {
      Flight& flight = lane.queue.cut(now);
      if (id == LaneId::kSmall) claim_large(flight);
      turn.flight = &flight;
    }
    if (turn.flight || turn.release_overflow || !turn.events.empty()) return turn;
    // No deadline passes while the lane sleeps: it starts before, unless its guard is lent, which is like a pass.
    if (start == Clock::time_point::max()) {
      if (id == LaneId::kSmall) lane_of(LaneId::kLarge).wake.notify_one();  // its rows need not gather any longer
      lane.wake.wait(lock);
    } else {
      lane.wake.wait_until(lock, start);
    }
  }
  lane.wake.wait(lock, [&] { return !lane.queue.is_lent(); });
  return std::nullopt;
}

// Makes the small lane's flight a cascade where its device can run one, the large lane rests, and the rule can be told
// to the device. What it then does not read goes to the large lane as always.
void Scheduler::claim_large(Flight& flight) {
  if (!has_large_ || !info(LaneId::kSmall).cascades || flight.is_route()) return;
  EscalationPlan plan{.threshold = options_.escalation.threshold, .rows = {}};
  plan.rows.reserve(flight.jobs.size());
  for (const Job& job : flight.jobs) {
    const bool may_go_on = awaits_rule(job) && job.ends_in_flight();
    const std::optional<RowRule> rule = may_go_on ? valves_.beforehand(job.sequence) : RowRule::kForbidden;
    if (!rule) return;
    plan.rows.push_back(*rule);
  }
  flight.claim = lane_of(LaneId::kLarge).queue.lend(flight.jobs, std::move(plan));
}

std::vector<Event> Scheduler::fail_overdue(Lane& lane, Clock::time_point now) {
  std::vector<Event> events;
  for (Job& job : lane.queue.take_overdue(now)) events.push_back(finish(job, deadline_error(job)));
  return events;
}

std::vector<Event> Scheduler::drain(LaneId id) {
  const std::lock_guard lock(mutex_);
  JobList waiting = lane_of(id).queue.end();
  std::vector<Event> events;
  events.reserve(waiting.size());
  for (Job& job : waiting) events.push_back(fail_closed(job));
  return events;
}

Event Scheduler::finish(Job& job, const std::optional<Error>& error) {
  pending_.erase(job.ticket);
  (error ? totals_.failed : totals_.completed) += 1;
  Event event = error ? job.failed(*error) : job.done();
  if (!job.is_route()) latencies_.add(event);
  if (event.escalation == Escalation::kAudit && event.large) valves_.compare(*event.small, *event.large);
  return event;
}

Event Scheduler::fail_closed(Job& job) { return finish(job, closed_error()); }

}  // namespace saferoute::engine
