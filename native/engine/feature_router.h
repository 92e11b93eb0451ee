// A guard's router as its callers may ask it without the guard's thread.
#pragma once

#include <span>

namespace saferoute::engine {

// Shared by the guard and by those who ask, who may outlive it. Thread-safe.
class FeatureRouter {
 public:
  virtual ~FeatureRouter() = default;

  // Hardness of one feature (hidden_size), on the calling thread.
  virtual float route(std::span<const float> feature) const noexcept = 0;
};

}  // namespace saferoute::engine
