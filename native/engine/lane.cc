#include "engine/lane.h"

#include <utility>

#include <pthread.h>

namespace saferoute::engine {
namespace {

// What debuggers and `top -H` call the thread; Linux takes 15 characters.
void name_this_thread(LaneId lane) {
  const char* const name = lane == LaneId::kSmall ? "saferoute-small" : "saferoute-large";
#if defined(__APPLE__)
  pthread_setname_np(name);
#else
  pthread_setname_np(pthread_self(), name);
#endif
}

std::vector<JobOutcome> route_features(Backend& backend, const Flight& flight) {
  std::vector<JobOutcome> outcomes;
  outcomes.reserve(flight.jobs.size());
  for (const Job& job : flight.jobs) {
    Outcome& outcome = outcomes.emplace_back().own;
    const float hardness = backend.route(job.feature);
    outcome.error = hardness_error(hardness);
    if (!outcome.error) outcome.hardness = hardness;
  }
  return outcomes;
}

std::vector<JobOutcome> fail_all(const Flight& flight, const Error& error) {
  return std::vector<JobOutcome>(flight.jobs.size(),
                                 JobOutcome{.own = {.reading = {}, .hardness = {}, .error = error}, .large = {}});
}

}  // namespace

Lane::Lane(LaneId id, BackendFactory factory, Scheduler& scheduler, const EventSink& sink,
           const Engine::ReadyCallback& on_ready)
    : id_(id),
      scheduler_(scheduler),
      sink_(sink),
      on_ready_(on_ready),
      thread_([this, factory = std::move(factory)]() mutable { run(std::move(factory)); }) {}

Lane::~Lane() { scheduler_.close(); }

void Lane::join() { thread_.join(); }

void Lane::run(BackendFactory factory) {
  name_this_thread(id_);
  if (const std::unique_ptr<Backend> backend = load(std::move(factory))) serve(*backend);
}

std::unique_ptr<Backend> Lane::load(BackendFactory factory) {
  std::unique_ptr<Backend> backend;
  bool is_last = false;
  try {
    backend = factory(scheduler_.load_stop());
    is_last = scheduler_.guard_loaded(id_, backend->info());
  } catch (...) {
    if (const std::optional<Error> failure = scheduler_.load_failed(current_error())) on_ready_(&*failure);
    return nullptr;
  }
  if (is_last) on_ready_(nullptr);
  return backend;
}

void Lane::serve(Backend& backend) {
  while (std::optional<Turn> turn = scheduler_.next(id_)) {
    deliver(std::move(turn->events));
    if (turn->release_overflow) backend.release_overflow();
    if (!turn->flight) continue;
    const Clock::time_point started_at = Clock::now();
    std::vector<JobOutcome> outcomes = run_flight(backend, *turn->flight);
    deliver(scheduler_.settle(id_, std::move(outcomes), milliseconds(Clock::now() - started_at)));
    if (id_ == LaneId::kSmall) deliver(scheduler_.hand_over());
  }
  deliver(scheduler_.drain(id_));
}

std::vector<JobOutcome> Lane::run_flight(Backend& backend, const Flight& flight) {
  try {
    if (flight.is_route()) return route_features(backend, flight);
    if (flight.claim) return read_cascade(backend, scheduler_.info(LaneId::kLarge), flight, batches_);
    return read_flight(backend, flight, id_, batches_);
  } catch (...) {
    return fail_all(flight, current_error());
  }
}

void Lane::deliver(std::vector<Event> events) const {
  for (Event& event : events) sink_(std::move(event));
}

}  // namespace saferoute::engine
