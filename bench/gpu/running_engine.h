// Both guards of a pair behind the engine, as the addon has them.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cuda/backend.h"
#include "engine/engine.h"

namespace saferoute::bench {

// A fifth of what the small guard reads goes on to the large one, by chance. Used on one thread.
class RunningEngine {
 public:
  // Loads both guards. `pair` outlives it. Throws what a load throws.
  RunningEngine(cuda::Pair& pair, int32_t batch_tokens);

  // Milliseconds from the first submit to the last answer. Throws where one failed.
  double run(const std::vector<std::vector<int32_t>>& prompts, engine::Target target);

  engine::EngineStats stats() const { return engine_->stats(); }

 private:
  void take(const engine::Event& event);

  std::mutex mutex_;
  std::condition_variable done_;
  size_t left_ = 0;
  std::string failure_;
  std::unique_ptr<engine::Engine> engine_;
};

}  // namespace saferoute::bench
