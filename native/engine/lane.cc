#include "engine/lane.h"

#include <cmath>
#include <string>
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

std::vector<Outcome> route_features(Backend& backend, const Flight& flight) {
  std::vector<Outcome> outcomes;
  outcomes.reserve(flight.jobs.size());
  for (const Job& job : flight.jobs) {
    Outcome& outcome = outcomes.emplace_back();
    const float hardness = backend.route(job.feature);
    if (std::isfinite(hardness)) {
      outcome.hardness = hardness;
    } else {
      outcome.error = Error(ErrorCode::kNotFinite, "the router's hardness is " + std::to_string(hardness));
    }
  }
  return outcomes;
}

std::vector<Outcome> fail_all(const Flight& flight, const Error& error) {
  return std::vector<Outcome>(flight.jobs.size(), Outcome{.reading = {}, .hardness = {}, .error = error});
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
    std::vector<Outcome> outcomes = run_flight(backend, *turn->flight);
    deliver(scheduler_.settle(id_, std::move(outcomes), milliseconds(Clock::now() - started_at)));
    if (id_ == LaneId::kSmall) deliver(scheduler_.hand_over());
  }
  deliver(scheduler_.drain(id_));
}

std::vector<Outcome> Lane::run_flight(Backend& backend, const Flight& flight) {
  try {
    return flight.is_route() ? route_features(backend, flight) : read_batch(backend, flight);
  } catch (...) {
    return fail_all(flight, current_error());
  }
}

std::vector<Outcome> Lane::read_batch(Backend& backend, const Flight& flight) {
  fill_batch(flight);
  const BatchReading reading = backend.forward(batch_, flight.stop.get_token());
  check_shape(reading, batch_, backend.info(), guard_name(id_));
  std::vector<Outcome> outcomes;
  outcomes.reserve(flight.jobs.size());
  int32_t row = 0;
  for (const Job& job : flight.jobs) {
    // What is read in the middle of a prompt means nothing.
    outcomes.push_back(job.ends_in_flight()
                           ? read_row(reading, backend.info(), guard_name(id_), row, job.request.want_feature)
                           : Outcome());
    row += 1;
  }
  return outcomes;
}

void Lane::fill_batch(const Flight& flight) {
  batch_.tokens.clear();
  batch_.row_offsets.assign(1, 0);
  batch_.row_starts.clear();
  batch_.pages.clear();
  batch_.page_offsets.assign(1, 0);
  batch_.copies.clear();
  batch_.want_features = false;
  for (const Job& job : flight.jobs) {
    const auto first = job.ids().begin() + job.ready_tokens;
    batch_.tokens.insert(batch_.tokens.end(), first, first + job.slice_tokens);
    batch_.row_offsets.push_back(static_cast<int32_t>(batch_.tokens.size()));
    batch_.row_starts.push_back(job.ready_tokens);
    const int32_t filled = (job.ready_tokens + job.slice_tokens + kPageTokens - 1) / kPageTokens;
    batch_.pages.insert(batch_.pages.end(), job.lease->pages.begin(), job.lease->pages.begin() + filled);
    batch_.page_offsets.push_back(static_cast<int32_t>(batch_.pages.size()));
    if (job.lease->copy && job.starts_in_flight()) batch_.copies.push_back(*job.lease->copy);
    batch_.want_features |= job.request.want_feature && job.ends_in_flight();
  }
}

void Lane::deliver(std::vector<Event> events) const {
  for (Event& event : events) sink_(std::move(event));
}

}  // namespace saferoute::engine
