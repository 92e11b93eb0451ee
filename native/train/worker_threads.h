// The threads of one training, or of one load.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "cpu/parallel_for.h"

namespace saferoute::train {

// Runs one piece of work at a time, on the calling thread and `threads - 1` others, which sleep in between and have the
// priority of the thread that made them. What a body throws comes out of the call, once the others have ended. Used by
// one thread; its ParallelFor must not be called from within a body.
class WorkerThreads {
 public:
  explicit WorkerThreads(int32_t threads);
  WorkerThreads(const WorkerThreads&) = delete;
  WorkerThreads& operator=(const WorkerThreads&) = delete;

  cpu::ParallelFor parallel_for();

 private:
  struct Work {
    cpu::ParallelFor::Body body;
    void* user;
    size_t count;
  };

  void run(Work work);
  void take_part(const Work& work);
  void wait_for_work(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any started_;
  std::condition_variable ended_;
  Work work_{};
  uint64_t turn_ = 0;   // pieces of work begun
  size_t working_ = 0;  // of the other threads
  std::exception_ptr failure_;
  std::atomic<size_t> next_ = 0;       // index
  std::vector<std::jthread> threads_;  // last: they end before what they use
};

}  // namespace saferoute::train
