#include "addon/completions.h"

#include <utility>

namespace saferoute::addon {

void Completions::add_event(engine::Event&& event) {
  add([&](EngineNews& news) { news.events.push_back(std::move(event)); });
}

void Completions::add_load_end(const Error* failure) {
  add([&](EngineNews& news) {
    news.load_ended = true;
    if (failure) news.load_failure = *failure;
  });
}

void Completions::add_closed() {
  add([](EngineNews& news) { news.closed = true; });
}

}  // namespace saferoute::addon
