#include "train/worker_threads.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace saferoute::train {
namespace {

TEST(WorkerThreads, DoEveryPieceOnce) {
  for (const int32_t threads : {1, 2, 5}) {
    WorkerThreads workers(threads);
    const cpu::ParallelFor parallel_for = workers.parallel_for();
    for (const size_t count : {0u, 1u, 2u, 3u, 1000u}) {
      std::vector<std::atomic<int>> times(count);
      parallel_for(count, [&](size_t index) { ++times[index]; });
      for (const auto& one : times) EXPECT_EQ(one, 1);
    }
  }
}

TEST(WorkerThreads, PassOnWhatABodyThrowsAndGoOn) {
  WorkerThreads workers(3);
  const cpu::ParallelFor parallel_for = workers.parallel_for();
  for (int turn = 0; turn < 100; ++turn) {
    EXPECT_THROW(parallel_for(50,
                              [](size_t index) {
                                if (index == 17) throw std::runtime_error("the seventeenth");
                              }),
                 std::runtime_error);
    std::atomic<int> done = 0;
    parallel_for(50, [&](size_t) { ++done; });
    EXPECT_EQ(done, 50);
  }
}

TEST(WorkerThreads, WorkAtOnce) {
  WorkerThreads workers(2);
  std::atomic<int> arrived = 0;
  // Either piece waits for the other: one thread alone would never end.
  workers.parallel_for()(2, [&](size_t) {
    ++arrived;
    while (arrived < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 2);
}

}  // namespace
}  // namespace saferoute::train
