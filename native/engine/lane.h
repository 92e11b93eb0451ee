// One guard's thread: builds the backend, runs flights through it, and destroys it.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "engine/backend.h"
#include "engine/engine.h"
#include "engine/flight_reading.h"
#include "engine/scheduler.h"

namespace saferoute::engine {

// Owned by Engine. Everything but the constructor, `join` and the destructor happens on the lane's own thread.
class Lane {
 public:
  // `scheduler`, `sink` and `on_ready` outlive the lane.
  Lane(LaneId id, BackendFactory factory, Scheduler& scheduler, const EventSink& sink,
       const Engine::ReadyCallback& on_ready);
  ~Lane();  // closes the scheduler
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // Waits for the thread to end, which it does once the scheduler is closed.
  void join();

 private:
  void run(BackendFactory factory);
  std::unique_ptr<Backend> load(BackendFactory factory);
  void serve(Backend& backend);
  std::vector<JobOutcome> run_flight(Backend& backend, const Flight& flight);
  void deliver(std::vector<Event> events) const;

  const LaneId id_;
  Scheduler& scheduler_;
  const EventSink& sink_;
  const Engine::ReadyCallback& on_ready_;
  PassBatches batches_;
  std::jthread thread_;
};

}  // namespace saferoute::engine
