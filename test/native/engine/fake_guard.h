// A guard without a model: what it says of a prompt follows from the prompt's first token, which it finds in the pages
// of the row as a model would find keys and values there; by a rule that the test can replace.
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
#include "engine/device_cascade.h"
#include "engine/error.h"
#include "engine/gate.h"
#include "engine/hard_rows.h"
#include "engine/page_memory.h"

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
    info.kv_pages = 1024;
  }

  // Set before the engine starts, or while a gate holds the lane.
  GuardInfo info;
  std::function<Answer(int32_t tag)> answer = [](int32_t tag) {
    return Answer{.logits = {static_cast<float>(tag), 0.0f}, .hardness = tag >= kHardFrom ? 0.9f : 0.1f};
  };
  std::function<void(const Batch&)> on_forward = [](const Batch&) {};
  std::function<float(std::span<const float>)> on_route = [](std::span<const float> feature) { return feature[0]; };
  std::function<void()> on_load = [] {};

  // Lets this guard, the small one, run cascades with `large` behind it. `on_hard_rows` may falsify what the device
  // picked.
  void cascade_into(FakeGuard& large) {
    info.cascades = true;
    large_ = &large;
  }
  std::function<void(std::vector<int32_t>& rows)> on_hard_rows = [](std::vector<int32_t>&) {};
  std::atomic<int> cascades = 0;

  Gate load_gate;  // the factory waits here
  Gate pass_gate;  // each forward pass waits here
  std::atomic<int> passes_stopped = 0;
  std::atomic<int> alive = 0;  // backends that stand
  std::atomic<bool> left_its_thread = false;
  std::atomic<bool> used_twice_at_once = false;  // by two threads, or destroyed while in use

  // The tag of every row, batch by batch.
  std::vector<std::vector<int32_t>> batches() const {
    const std::lock_guard lock(mutex_);
    return batches_;
  }

  // The tokens that were computed of every row, batch by batch.
  std::vector<std::vector<int32_t>> computed() const {
    const std::lock_guard lock(mutex_);
    return computed_;
  }

  // Every row's prompt up to where its batch ended, as its pages had it, batch by batch.
  std::vector<std::vector<std::vector<int32_t>>> prompts() const {
    const std::lock_guard lock(mutex_);
    return prompts_;
  }

  // Pages beyond the budget that hold something.
  size_t overflow_pages() const {
    const std::lock_guard lock(mutex_);
    return memory_.count_from(info.kv_pages);
  }

  BackendFactory factory() {
    return [this](std::stop_token stop) -> std::unique_ptr<Backend> {
      if (!load_gate.pass(stop)) throw Error(ErrorCode::kAborted, "the load was stopped");
      on_load();
      return std::make_unique<FakeBackend>(*this);
    };
  }

 private:
  // The time for which a thread uses the guard.
  class Use {
   public:
    explicit Use(FakeGuard& guard) : guard_(guard) {
      if (guard_.in_use_.exchange(true)) guard_.used_twice_at_once = true;
    }
    ~Use() { guard_.in_use_ = false; }

   private:
    FakeGuard& guard_;
  };

  class FakeBackend : public Backend {
   public:
    explicit FakeBackend(FakeGuard& guard) : guard_(guard) { guard_.alive += 1; }
    ~FakeBackend() override {
      const Use use(guard_);
      check_thread();
      guard_.alive -= 1;
    }

    const GuardInfo& info() const override { return guard_.info; }

    BatchReading forward(const Batch& batch, std::stop_token stop) override {
      const Use use(guard_);
      check_thread();
      return guard_.pass(batch, stop);
    }

    // The large guard's gate is not passed: its lane rests.
    CascadeReading cascade(const Batch& small, const Batch& large, const EscalationPlan& plan,
                           std::stop_token stop) override {
      const Use use(guard_), use_large(*guard_.large_);
      check_thread();
      guard_.cascades += 1;
      CascadeReading reading{.small = guard_.pass(small, stop), .hard_rows = {}, .large = {}};
      const std::vector<int32_t> hard = pick_hard_rows(reading.small.hardness, plan);
      if (!hard.empty()) reading.large = guard_.large_->compute_and_read(rows_of(large, hard));
      reading.hard_rows = hard;
      guard_.on_hard_rows(reading.hard_rows);
      return reading;
    }

    void release_overflow() override {
      const Use use(guard_);
      check_thread();
      const std::lock_guard lock(guard_.mutex_);
      guard_.memory_.release_from(guard_.info.kv_pages);
    }

    float route(std::span<const float> feature) override {
      const Use use(guard_);
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

  static std::span<const PageId> pages_of(const Batch& batch, int32_t row) {
    return std::span(batch.pages)
        .subspan(batch.page_offsets[row], batch.page_offsets[row + 1] - batch.page_offsets[row]);
  }

  BatchReading pass(const Batch& batch, const std::stop_token& stop) {
    compute(batch);
    on_forward(batch);
    if (!pass_gate.pass(stop) || stop.stop_requested()) {
      passes_stopped += 1;
      throw Error(ErrorCode::kAborted, "the pass was stopped");
    }
    return read(batch);
  }

  BatchReading compute_and_read(const Batch& batch) {
    compute(batch);
    on_forward(batch);
    return read(batch);
  }

  void compute(const Batch& batch) {
    const std::lock_guard lock(mutex_);
    for (const PageCopy& copy : batch.copies) memory_.copy(copy);
    for (int32_t row = 0; row < batch.rows(); ++row) {
      const int32_t first = batch.row_offsets[row];
      memory_.compute(pages_of(batch, row), batch.row_starts[row],
                      std::span(batch.tokens).subspan(first, batch.row_offsets[row + 1] - first));
    }
    std::vector<int32_t>& tags = batches_.emplace_back();
    std::vector<int32_t>& computed = computed_.emplace_back();
    std::vector<std::vector<int32_t>>& prompts = prompts_.emplace_back();
    for (int32_t row = 0; row < batch.rows(); ++row) {
      computed.push_back(batch.row_offsets[row + 1] - batch.row_offsets[row]);
      prompts.push_back(memory_.read(pages_of(batch, row), batch.row_starts[row] + computed.back()));
      tags.push_back(prompts.back().front());
    }
  }

  BatchReading read(const Batch& batch) const {
    const std::lock_guard lock(mutex_);
    BatchReading reading;
    for (const int32_t tag : batches_.back()) {
      const Answer row_answer = answer(tag);
      reading.logits.insert(reading.logits.end(), row_answer.logits.begin(), row_answer.logits.end());
      if (info.has_router) reading.hardness.push_back(row_answer.hardness);
      if (batch.want_features)
        reading.features.insert(reading.features.end(), info.hidden_size, static_cast<float>(tag));
    }
    return reading;
  }

  FakeGuard* large_ = nullptr;
  std::atomic<bool> in_use_ = false;
  mutable std::mutex mutex_;
  PageMemory memory_;
  std::vector<std::vector<int32_t>> batches_;
  std::vector<std::vector<int32_t>> computed_;
  std::vector<std::vector<std::vector<int32_t>>> prompts_;
};

}  // namespace saferoute::engine
