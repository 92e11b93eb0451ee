// What the addon offers to whoever makes a router: training one, and reading a file of features with one.
#pragma once

#include <memory>

#include <napi.h>

#include "addon/background_work.h"

namespace saferoute::addon {

// Start what `trainRouter` and `routeFeatures` of lib/native.ts ask for, with their arguments as they came. Throw a
// TypeError or RangeError for a wrong call.
std::shared_ptr<BackgroundWork> start_training(const Napi::CallbackInfo& info, std::shared_ptr<LiveWorks> live);
std::shared_ptr<BackgroundWork> start_routing(const Napi::CallbackInfo& info, std::shared_ptr<LiveWorks> live);

}  // namespace saferoute::addon
