#include "train/worker_threads.h"

#include <utility>

namespace saferoute::train {

WorkerThreads::WorkerThreads(int32_t threads) {
  for (int32_t other = 1; other < threads; ++other) {
    threads_.emplace_back([this](const std::stop_token& stop) { wait_for_work(stop); });
  }
}

cpu::ParallelFor WorkerThreads::parallel_for() {
  return {[](void* context, cpu::ParallelFor::Body body, size_t count, void* user) {
            static_cast<WorkerThreads*>(context)->run({body, user, count});
          },
          this};
}

void WorkerThreads::run(Work work) {
  if (threads_.empty() || work.count < 2) {
    for (size_t index = 0; index < work.count; ++index) work.body(work.user, index);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    work_ = work;
    next_ = 0;
    working_ = threads_.size();
    ++turn_;
  }
  started_.notify_all();
  take_part(work);
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return working_ == 0; });
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void WorkerThreads::take_part(const Work& work) {
  try {
    for (size_t index; (index = next_++) < work.count;) work.body(work.user, index);
  } catch (...) {
    next_ = work.count;
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
  }
}

void WorkerThreads::wait_for_work(const std::stop_token& stop) {
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  while (started_.wait(lock, stop, [&] { return turn_ != seen; })) {
    seen = turn_;
    const Work work = work_;
    lock.unlock();
    take_part(work);
    lock.lock();
    if (--working_ == 0) ended_.notify_one();
  }
}

}  // namespace saferoute::train
