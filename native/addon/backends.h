// A pair's guards as the engine's backends, on the device that was chosen for them.
#pragma once

#include <variant>

#include "addon/engine_config.h"
#include "engine/backend.h"

namespace saferoute::addon {

// One for each lane; the large one is empty where the pair has no large guard.
struct BackendFactories {
  engine::BackendFactory small;
  engine::BackendFactory large;
};

BackendFactories make_backends(std::variant<CpuPair, cuda::PairSource> guards);

}  // namespace saferoute::addon
