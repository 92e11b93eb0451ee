// What an engine's threads have to say, on its way to the event loop.
#pragma once

#include <optional>
#include <vector>

#include "addon/deliveries.h"
#include "engine/engine.h"

namespace saferoute::addon {

// Events come before the end of the engine.
struct EngineNews {
  std::vector<engine::Event> events;
  bool load_ended = false;
  std::optional<Error> load_failure;
  bool closed = false;
};

class Completions : public Deliveries<EngineNews> {
 public:
  void add_event(engine::Event&& event);
  void add_load_end(const Error* failure);
  void add_closed();
};

}  // namespace saferoute::addon
