// Chunks of one piece of work, shared out without a lock between its owner, who takes them from the front, and one
// helper, who takes them from the back.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

namespace saferoute::ort {

// The owner's calls are made by one thread at a time, the helper's by the helper alone. Neither ever waits for the
// other, but the helper in `wait`.
class ChunkSplit {
 public:
  // For the owner. True where the helper holds no chunk, of this work or of work before: then, once every chunk is
  // taken, it touches nothing until the next offer.
  bool helper_rests() const { return finished_.load(std::memory_order_acquire) == back(load()); }

  // All chunks were taken and the helper rests; fewer than 65535 chunks. What was written before can be read by whoever
  // takes a chunk.
  void offer(int32_t chunks) {
    finished_.store(chunks, std::memory_order_relaxed);
    free_.store(range(0, chunks));
    free_.notify_one();
  }

  // Wakes the helper for an offer that is to come; as an offer, only while the helper rests.
  void call() {
    finished_.store(0, std::memory_order_relaxed);
    free_.store(kCalled);
    free_.notify_one();
  }

  // Empty where all are taken.
  std::optional<int32_t> take_front() {
    uint32_t free = load();
    while (front(free) < back(free)) {
      if (exchange(free, range(front(free) + 1, back(free)))) return front(free);
    }
    return std::nullopt;
  }

  // Chunks from these on are taken by the helper, and finished by it. Once all are taken, the former moves no more.
  int32_t taken_from() const { return back(load()); }
  int32_t finished_from() const { return finished_.load(std::memory_order_acquire); }

  // For the helper, who holds one chunk at a time: `finish` says that its outcome is there.
  std::optional<int32_t> take_back() {
    uint32_t free = load();
    while (front(free) < back(free)) {
      if (exchange(free, range(front(free), back(free) - 1))) return back(free) - 1;
    }
    return std::nullopt;
  }
  void finish(int32_t chunk) { finished_.store(chunk, std::memory_order_release); }

  // Never wait. News are a chunk to take, or the end.
  bool has_chunks() const {
    const uint32_t free = load();
    return front(free) < back(free);
  }
  bool has_news() const { return load() == kEnded || has_chunks(); }

  // Sleeps until it is called or there is a chunk to take, which may be gone by then. False where the split has ended.
  bool wait() {
    uint32_t free = load();
    while (free != kEnded && front(free) >= back(free)) {
      if (free == kCalled) {
        if (exchange(free, kNone)) return true;
        continue;
      }
      free_.wait(free, std::memory_order_acquire);
      free = load();
    }
    return free != kEnded;
  }

  // By the last owner. In one order with the helper's going to sleep, as an offer is: else neither might see the other.
  void end() {
    free_.store(kEnded);
    free_.notify_one();
  }

 private:
  // Ranges without a chunk: the first, one that a helper has not been awake to see, and the last.
  static constexpr uint32_t kNone = 0;
  static constexpr uint32_t kCalled = 0x00010000;
  static constexpr uint32_t kEnded = 0xffffffff;

  static constexpr uint32_t range(int32_t front, int32_t back) {
    return static_cast<uint32_t>(front) << 16 | static_cast<uint32_t>(back);
  }
  static constexpr int32_t front(uint32_t free) { return static_cast<int32_t>(free >> 16); }
  static constexpr int32_t back(uint32_t free) { return static_cast<int32_t>(free & 0xffff); }

  uint32_t load() const { return free_.load(std::memory_order_acquire); }
  bool exchange(uint32_t& expected, uint32_t wanted) {
    return free_.compare_exchange_weak(expected, wanted, std::memory_order_acq_rel, std::memory_order_acquire);
  }

  // A helper that was held up between its look at the range and its claim can at worst claim a chunk of later work,
  // which is as good: it reads what the chunk is of after the claim.
  std::atomic<uint32_t> free_ = kNone;  // first and past-the-last chunk that nobody has taken
  std::atomic<int32_t> finished_ = 0;   // chunk
};

}  // namespace saferoute::ort
