// What the scheduler makes of a pass that is over: who is told what, who goes on to the large guard, and who waits for
// another pass.
#include <algorithm>
#include <sstream>
#include <utility>

#include "engine/scheduler.h"

namespace saferoute::engine {
namespace {

Error cap_error(const EscalationCap& cap) {
  std::ostringstream message;
  message << "the cap of " << cap.per_second << " escalations per second is reached";
  return Error(ErrorCode::kOverloaded, message.str());
}

// A reading that is no number may come of the prompt's keys and values: nobody else shall share those.
bool spoils_pages(const std::optional<Error>& error) { return error && error->code() == ErrorCode::kNotFinite; }

}  // namespace

std::vector<Event> Scheduler::settle(LaneId id, std::vector<JobOutcome> outcomes, double pass_ms) {
  const std::lock_guard lock(mutex_);
  LaneQueue& queue = lane_of(id).queue;
  Flight& flight = queue.flight();
  const PassTime time = flight.claim ? end_claim(flight, outcomes, pass_ms) : PassTime{pass_ms, pass_ms, 0};
  const Clock::time_point now = Clock::now();
  if (std::any_of(outcomes.begin(), outcomes.end(), [](const JobOutcome& job) { return !job.own.error; })) {
    queue.record_pass(time.small_ms);
  }
  std::vector<Event> events;
  events.reserve(flight.jobs.size());
  auto outcome = outcomes.begin();
  for (auto job = flight.jobs.begin(); job != flight.jobs.end();) {
    const auto current = job++;
    settle_job(queue, current, *outcome++, time, now, events);
  }
  return events;
}

// Gives the large guard back to its lane, and says how the pass's time is divided between the two.
Scheduler::PassTime Scheduler::end_claim(Flight& flight, std::span<const JobOutcome> outcomes, double pass_ms) {
  const PassWork small{.tokens = lane_of(LaneId::kSmall).queue.flight_tokens(),
                       .weight_bytes = info(LaneId::kSmall).weight_bytes};
  PassWork large{.tokens = 0, .weight_bytes = info(LaneId::kLarge).weight_bytes};
  for (const JobOutcome& job : outcomes) large.tokens += job.large ? job.large->computed_tokens : 0;
  const double large_ms = pass_ms * large_share(small, large);
  Lane& lane = lane_of(LaneId::kLarge);
  lane.queue.take_back(*flight.claim, flight.jobs, outcomes, large_ms);
  lane.wake.notify_one();
  flight.claim.reset();
  return {.pass_ms = pass_ms, .small_ms = pass_ms - large_ms, .large_ms = large_ms};
}

void Scheduler::settle_job(LaneQueue& queue, JobList::iterator job, JobOutcome& outcome, const PassTime& time,
                           Clock::time_point now, std::vector<Event>& events) {
  JobList& jobs = queue.flight().jobs;
  std::optional<Error> error = outcome.own.error;
  const bool is_last = job->is_route() || job->ends_in_flight();
  if (!error) job->record_slice(outcome.large ? time.small_ms : time.pass_ms);
  const bool is_wanted = !job->cancelled && state_ != State::kClosed;
  if (is_wanted && !error && !is_last) {
    queue.put_back(job, now);
    return;
  }
  queue.end_lease(job, !spoils_pages(error));
  if (job->cancelled) {
    jobs.erase(job);
    return;
  }
  if (!error) job->record(std::move(outcome.own));
  if (is_wanted && !error && awaits_rule(*job)) {
    error = decide(*job, now, events);
    if (goes_on(job->event.escalation)) {
      events.push_back(job->stage());
      totals_.escalated += 1;
      if (!outcome.large) return;
      error = outcome.large->outcome.error;
      job->record_large(std::move(*outcome.large), time.large_ms);
    }
  }
  events.push_back(is_wanted ? finish(*job, error) : fail_closed(*job));
  jobs.erase(job);
}

bool Scheduler::awaits_rule(const Job& job) const {
  return job.lane == LaneId::kSmall && !job.is_route() && job.request.target == Target::kCascade;
}

// Returns the error that the row is to end with, where there is one. Word of the alarm goes before the row's own event,
// since nothing keeps a process alive for what comes after the last one.
std::optional<Error> Scheduler::decide(Job& job, Clock::time_point now, std::vector<Event>& events) {
  const Reading& small = *job.event.small;
  job.event.escalation = valves_.decide(
      {.logit = small.unsafe - small.safe, .hardness = job.event.hardness, .sequence = job.sequence}, now);
  if (const std::optional<AlarmState> alarm = valves_.take_alarm(now)) {
    Event& event = events.emplace_back();
    event.kind = Event::Kind::kAlarm;
    event.alarm = alarm;
  }
  const std::optional<EscalationCap>& cap = options_.valves.cap;
  if (job.event.escalation != Escalation::kCapped || !cap->refuses) return std::nullopt;
  return cap_error(*cap);
}

std::vector<Event> Scheduler::hand_over() {
  const std::lock_guard lock(mutex_);
  JobList& jobs = lane_of(LaneId::kSmall).queue.flight().jobs;
  Lane& large = lane_of(LaneId::kLarge);
  std::vector<Event> events;
  while (!jobs.empty()) {
    const auto job = jobs.begin();
    if (!job->cancelled && state_ != State::kClosed) {
      large.queue.push(jobs, job, Clock::now());
      continue;
    }
    if (!job->cancelled) events.push_back(fail_closed(*job));
    jobs.erase(job);
  }
  large.wake.notify_one();
  return events;
}

}  // namespace saferoute::engine
