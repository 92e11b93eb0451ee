#include "engine/engine.h"

#include <mutex>
#include <optional>
#include <utility>

#include "engine/lane.h"
#include "engine/scheduler.h"

namespace saferoute::engine {

// The order of the members is the order of their lives: the lanes use what stands above them.
class Engine::Impl {
 public:
  Impl(BackendFactory small, BackendFactory large, EngineOptions options, EventSink sink, ReadyCallback on_ready)
      : has_large(static_cast<bool>(large)),
        scheduler(options, has_large),
        sink_(std::move(sink)),
        on_ready_(std::move(on_ready)),
        small_(LaneId::kSmall, std::move(small), scheduler, sink_, on_ready_) {
    if (has_large) large_.emplace(LaneId::kLarge, std::move(large), scheduler, sink_, on_ready_);
  }

  // A second closer waits here until the first has joined the lanes.
  void close() {
    scheduler.close();
    std::call_once(joined_, [this] {
      small_.join();
      if (large_) large_->join();
    });
  }

  const bool has_large;
  Scheduler scheduler;

 private:
  const EventSink sink_;
  const ReadyCallback on_ready_;
  std::once_flag joined_;
  Lane small_;
  std::optional<Lane> large_;
};

Engine::Engine(BackendFactory small, BackendFactory large, EngineOptions options, EventSink sink,
               ReadyCallback on_ready)
    : impl_(std::make_unique<Impl>(std::move(small), std::move(large), options, std::move(sink), std::move(on_ready))) {
}

Engine::~Engine() { close(); }

const GuardInfo& Engine::small_info() const { return impl_->scheduler.info(LaneId::kSmall); }

const GuardInfo* Engine::large_info() const {
  return impl_->has_large ? &impl_->scheduler.info(LaneId::kLarge) : nullptr;
}

Ticket Engine::submit(Request request) { return impl_->scheduler.submit(std::move(request)); }

Ticket Engine::route(std::vector<float> feature) { return impl_->scheduler.route(std::move(feature)); }

std::optional<double> Engine::route_here(std::span<const float> feature) {
  return impl_->scheduler.route_here(feature);
}

bool Engine::cancel(Ticket ticket) { return impl_->scheduler.cancel(ticket); }

void Engine::close() { impl_->close(); }

EngineStats Engine::stats() const { return impl_->scheduler.stats(); }

}  // namespace saferoute::engine
