// A thread that helps with pieces of work too short to be handed over: tens of microseconds, cut into chunks.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <thread>

#include "ort/chunk_split.h"

namespace saferoute::ort {

// Sleeps between pieces of work. Its owner never waits for it to wake, and for a chunk that it is held up with only
// `patience`. Used by one thread at a time.
class ChunkHelper {
 public:
  // `help` computes one chunk on the helper's thread, where its outcome is the helper's own: it may come too late.
  // Throws std::system_error where there is no thread to be had.
  ChunkHelper(std::function<void(int32_t chunk)> help, std::chrono::steady_clock::duration patience);
  ChunkHelper(const ChunkHelper&) = delete;
  ChunkHelper& operator=(const ChunkHelper&) = delete;
  ~ChunkHelper();

  // Whether it would take chunks that are shared now. Asleep it comes too late for them, and is to be called before.
  bool is_awake() const { return awake_.load(std::memory_order_relaxed); }

  // Wakes it for a while, without waiting for that. It must rest.
  void call() { split_.call(); }

  // True where `help` is not running and will not before the next `share`: what it reads may be written.
  bool rests() const { return split_.helper_rests(); }

  // Computes every chunk, by `own` on this thread or by the helper; it must rest. Returns the first chunk of those that
  // are the helper's: these and all behind them, and no others, are there in its outcome.
  template <typename Own>
  int32_t share(int32_t chunks, Own&& own) {
    split_.offer(chunks);
    while (const auto chunk = split_.take_front()) own(*chunk);
    const int32_t finished = await_helper();
    for (int32_t chunk = split_.taken_from(); chunk < finished; ++chunk) own(chunk);
    return finished;
  }

 private:
  int32_t await_helper() const;
  void run();

  const std::function<void(int32_t chunk)> help_;
  const std::chrono::steady_clock::duration patience_;
  ChunkSplit split_;
  std::atomic<bool> awake_ = false;
  std::thread thread_;  // last: it uses what stands above
};

}  // namespace saferoute::ort
