// A guard on the device as the engine sees it, and the pair that two of them make.
#pragma once

#include <memory>
#include <mutex>
#include <stop_token>

#include "cuda/device_arena.h"
#include "cuda/guard_source.h"
#include "cuda/loaded_guard.h"
#include "cuda/module.h"
#include "engine/backend.h"

namespace saferoute::cuda {

// Where the small guard's backend finds the large guard for a cascade. Thread-safe.
class LargeGuardPlace {
 public:
  void put(const std::shared_ptr<LoadedGuard>& guard);

  // Null before it is loaded, and once its backend is gone.
  std::shared_ptr<LoadedGuard> get() const;

 private:
  mutable std::mutex mutex_;
  std::weak_ptr<LoadedGuard> guard_;
};

// The guards of one load, with all device memory that they will ever have. Its guards may outlive it.
class Pair {
 public:
  // Plans by what is free on the current device now, and reserves. Throws as demands_of() and DeviceArena::reserve().
  explicit Pair(PairSource source);

  const MemoryPlan& plan() const { return arena_->plan(); }

  // Loads a guard, picks its algorithms and captures its first graphs; on its lane's thread. Throws
  // Error(kInvalidArgument) for the large guard of a pair that has none, and as LoadedGuard.
  std::unique_ptr<engine::Backend> make_guard(GuardRole role, std::stop_token stop);

 private:
  const PairSource source_;
  const std::shared_ptr<DeviceArena> arena_;
  const std::shared_ptr<LargeGuardPlace> large_;
};

}  // namespace saferoute::cuda
