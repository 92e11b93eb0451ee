// That emulated threads meet as a GPU's do, and that what would hang or race there does not pass here.
#include "cuda/emulation/simt.h"

#include <cstddef>
#include <functional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/tensor_core.cuh"

namespace saferoute::cuda::simt {
namespace {

std::string failure(unsigned threads, const std::function<void()>& kernel) {
  try {
    run_grid({}, threads, Order::kFirstWarpFirst, kernel);
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "none";
}

TEST(Simt, RunsEveryThreadOfEveryBlock) {
  std::vector<int> runs(2 * 3 * 64);
  run_grid({2, 3, 1}, 64, Order::kLastWarpFirst,
           [&] { ++runs[(blockIdx.y * gridDim.x + blockIdx.x) * blockDim.x + threadIdx.x]; });
  EXPECT_EQ(runs, std::vector<int>(runs.size(), 1));
}

TEST(Simt, CountsAndShuffles) {
  run_grid({}, 64, Order::kFirstWarpFirst, [] {
    const unsigned thread = threadIdx.x;
    EXPECT_EQ(__syncthreads_count(thread < 40), 40);
    EXPECT_EQ(__shfl_xor_sync(0xffffffff, thread, 2), thread ^ 2);
    EXPECT_EQ(__shfl_sync(0xffffffff, thread, 5), thread / 32 * 32 + 5);
  });
}

// Without the barrier one order of warps sees what the other does not.
TEST(Simt, WarpsGetAheadOfEachOtherUntilABarrier) {
  for (const Order order : {Order::kFirstWarpFirst, Order::kLastWarpFirst}) {
    for (const bool barrier : {false, true}) {
      int writer = 0, seen_by_first = -1, seen_by_last = -1;
      run_grid({}, 64, order, [&] {
        const unsigned thread = threadIdx.x;
        if (thread == 0 || thread == 63) ++writer;
        if (barrier) __syncthreads();
        if (thread == 0) seen_by_first = writer;
        if (thread == 63) seen_by_last = writer;
      });
      const bool first_leads = order == Order::kFirstWarpFirst;
      EXPECT_EQ(seen_by_first, barrier || !first_leads ? 2 : 1);
      EXPECT_EQ(seen_by_last, barrier || first_leads ? 2 : 1);
    }
  }
}

TEST(Simt, ACopyHappensWhenItIsWaitedFor) {
  run_grid({}, 32, Order::kFirstWarpFirst, [] {
    const int from[2] = {3, 4};
    int to[3] = {0, 0, 7};
    start_copy(&to[0], &from[0], sizeof(int));
    commit_copies();
    start_copy(&to[1], &from[1], sizeof(int));
    start_copy(&to[2], nullptr, sizeof(int));
    commit_copies();
    EXPECT_EQ(to[0], 0);
    wait_for_copies(1);
    EXPECT_EQ(to[0], 3);
    EXPECT_EQ(to[1], 0);
    wait_for_copies(0);
    EXPECT_EQ(to[1], 4);
    EXPECT_EQ(to[2], 0);
  });
}

TEST(Simt, ThreadsThatNeverMeetAgainAreAFailure) {
  EXPECT_EQ(failure(64,
                    [] {
                      if (threadIdx.x != 9) __syncthreads();
                    }),
            "thread 0 waits for ever for others at __syncthreads");
  EXPECT_EQ(failure(32,
                    [] {
                      if (threadIdx.x == 0) {
                        meet_warp("one thing", nullptr, [](Deposits) {});
                      } else {
                        meet_warp("another", nullptr, [](Deposits) {});
                      }
                    }),
            "threads meet at one thing and at another");
}

TEST(Simt, ACopyBesideItsMultipleIsAFailure) {
  alignas(16) static std::byte from[32], to[32];
  const auto copy = [](size_t from_at, size_t to_at) {
    return failure(32, [=] { start_copy(to + to_at, from + from_at, 16); });
  };
  EXPECT_EQ(copy(0, 16), "none");
  for (const auto& [from_at, to_at] : {std::pair{8, 0}, {0, 8}}) {
    EXPECT_EQ(copy(from_at, to_at), "a copy of 16 bytes that is not at a multiple of them");
  }
}

TEST(Simt, ARowOfAMatrixBesideItsMultipleIsAFailure) {
  const auto load = [](uint32_t offset) {
    return failure(32, [=] {
      uint32_t matrices[4];
      load_matrices(matrices, 128 * (threadIdx.x % 8) + offset);
    });
  };
  EXPECT_EQ(load(16), "none");
  EXPECT_EQ(load(8), "a row of a matrix at byte 8 of shared memory");
}

}  // namespace
}  // namespace saferoute::cuda::simt
