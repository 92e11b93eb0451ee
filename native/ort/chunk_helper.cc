#include "ort/chunk_helper.h"

#include <utility>

#include "ort/thread_pool.h"

namespace saferoute::ort {
namespace {

using Clock = std::chrono::steady_clock;

// How long the helper stays awake for the next piece of work: somewhat longer than its owner takes for one alone. A
// core that has halted takes longer to wake than the work would; where pieces follow each other it stays awake, and
// costs nobody more than this after the last of them.
constexpr Clock::duration kAwake = std::chrono::microseconds(150);

// Returns once `done()` is true, or `patience` is over.
template <typename Done>
void poll(Clock::duration patience, Done&& done) {
  if (done()) return;
  for (const Clock::time_point end = Clock::now() + patience; !done() && Clock::now() < end;) {
  }
}

}  // namespace

ChunkHelper::ChunkHelper(std::function<void(int32_t chunk)> help, Clock::duration patience)
    : help_(std::move(help)), patience_(patience), thread_([this] { run(); }) {}

ChunkHelper::~ChunkHelper() {
  split_.end();
  thread_.join();
}

int32_t ChunkHelper::await_helper() const {
  poll(patience_, [&] { return split_.helper_rests(); });
  return split_.finished_from();
}

void ChunkHelper::run() {
  yield_to_main_thread();
  while (split_.wait()) {
    awake_.store(true, std::memory_order_relaxed);
    do {
      while (const auto chunk = split_.take_back()) {
        help_(*chunk);
        split_.finish(*chunk);
      }
      poll(kAwake, [&] { return split_.has_news(); });
    } while (split_.has_chunks());
    awake_.store(false, std::memory_order_relaxed);
  }
}

}  // namespace saferoute::ort
