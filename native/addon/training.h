// What the addon offers to whoever makes a router: training one, and reading a file of features with one.
#pragma once

#include <functional>
#include <memory>

#include <napi.h>

#include "addon/live_work.h"

namespace saferoute::addon {

// A training under way.
struct StartedTraining {
  Napi::Promise done;
  std::function<void()> stop;  // at the end of its epoch, with its state on disk; on the environment's thread
};

// Start what `trainRouter` and `routeFeatures` of lib/native.ts ask for, with their arguments as they came. Throw a
// TypeError for a wrong call.
StartedTraining start_training(const Napi::CallbackInfo& info, std::shared_ptr<LiveWorks> live);
Napi::Promise start_routing(const Napi::CallbackInfo& info, std::shared_ptr<LiveWorks> live);

}  // namespace saferoute::addon
