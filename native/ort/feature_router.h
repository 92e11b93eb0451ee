// The router of a guard on the CPU as its callers ask it, on their own threads.
#pragma once

#include <memory>

#include "engine/feature_router.h"
#include "router/network.h"

namespace saferoute::ort {

// Null for a network that would hold its caller up for longer than a hand-over to the guard's thread does.
std::shared_ptr<const engine::FeatureRouter> make_feature_router(std::shared_ptr<const router::Network> network);

}  // namespace saferoute::ort
