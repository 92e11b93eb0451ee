// A guard without a model: what it says of a prompt follows from the prompt's first token, by a rule that the test can
// replace.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "engine/backend.h"
#include "engine/error.h"
#include "engine/gate.h"

namespace saferoute::engine {

// From this token on the small guard's router calls a prompt hard.
inline constexpr int32_t kHardFrom = 500;

// `length` tokens that begin with `tag`, by which the test knows the row again.
inline std::vector<int32_t> prompt(int32_t tag, size_t length = 1) {
  std::vector<int32_t> ids(length, 1);
  ids.front() = tag;
  return ids;
}

struct Answer {
  std::vector<float> logits;  // (verdict_tokens)
  float hardness = 0;
};

// Outlives the engine that it is handed to. Thread-safe where the engine's threads meet the test's.
class FakeGuard {
 public:
  FakeGuard() {
    info.hidden_size = 4;
    info.vocab_size = 1000;
    info.max_positions = 64;
    info.verdict_unsafe = {0, 1};
    info.has_router = true;
  }

  // Set before the engine starts, or while a gate holds the lane.
  GuardInfo info;
  std::function<Answer(int32_t tag)> answer = [](int32_t tag) {
    return Answer{.logits = {static_cast<float>(tag), 0.0f}, .hardness = tag >= kHardFrom ? 0.9f : 0.1f};
  };
  std::function<void(const Batch&)> on_forward = [](const Batch&) {};
  std::function<float(std::span<const float>)> on_route = [](std::span<const float> feature) { return feature[0]; };
  std::function<void()> on_load = [] {};

  Gate load_gate;  // the factory waits here
  Gate pass_gate;  // each forward pass waits here
  std::atomic<int> passes_stopped = 0;
  std::atomic<int> alive = 0;  // backends that stand
  std::atomic<bool> left_its_thread = false;

  // The tag of every row, batch by batch.
  std::vector<std::vector<int32_t>> batches() const {
    const std::lock_guard lock(mutex_);
    return batches_;
  }

  BackendFactory factory() {
    return [this](std::stop_token stop) -> std::unique_ptr<Backend> {
      if (!load_gate.pass(stop)) throw Error(ErrorCode::kAborted, "the load was stopped");
      on_load();
      return std::make_unique<FakeBackend>(*this);
    };
  }

 private:
  class FakeBackend : public Backend {
   public:
    explicit FakeBackend(FakeGuard& guard) : guard_(guard) { guard_.alive += 1; }
    ~FakeBackend() override {
      check_thread();
      guard_.alive -= 1;
    }

    const GuardInfo& info() const override { return guard_.info; }

    BatchReading forward(const Batch& batch, std::stop_token stop) override {
      check_thread();
      guard_.note(batch);
      guard_.on_forward(batch);
      if (!guard_.pass_gate.pass(stop) || stop.stop_requested()) {
        guard_.passes_stopped += 1;
        throw Error(ErrorCode::kAborted, "the pass was stopped");
      }
      return guard_.read(batch);
    }

    void release_overflow() override { check_thread(); }

    float route(std::span<const float> feature) override {
      check_thread();
      return guard_.on_route(feature);
    }

   private:
    void check_thread() const {
      if (std::this_thread::get_id() != thread_) guard_.left_its_thread = true;
    }

    FakeGuard& guard_;
    const std::thread::id thread_ = std::this_thread::get_id();
  };

  void note(const Batch& batch) {
    std::vector<int32_t> tags;
    for (int32_t row = 0; row < batch.rows(); ++row) tags.push_back(batch.tokens[batch.row_offsets[row]]);
    const std::lock_guard lock(mutex_);
    batches_.push_back(std::move(tags));
  }

  BatchReading read(const Batch& batch) const {
    BatchReading reading;
    for (int32_t row = 0; row < batch.rows(); ++row) {
      const int32_t tag = batch.tokens[batch.row_offsets[row]];
      const Answer row_answer = answer(tag);
      reading.logits.insert(reading.logits.end(), row_answer.logits.begin(), row_answer.logits.end());
      if (info.has_router) reading.hardness.push_back(row_answer.hardness);
      if (batch.want_features)
        reading.features.insert(reading.features.end(), info.hidden_size, static_cast<float>(tag));
    }
    return reading;
  }

  mutable std::mutex mutex_;
  std::vector<std::vector<int32_t>> batches_;
};

}  // namespace saferoute::engine
