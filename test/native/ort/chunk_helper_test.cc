// A helper that comes at once, late, or not at all: every chunk is there, and nothing that is over is written to.
#include "ort/chunk_helper.h"

#include <semaphore>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace saferoute::ort {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;

TEST(ChunkHelper, EveryChunkIsThereWhoeverComputesIt) {
  constexpr int32_t kMostChunks = 40;
  int round = 0;
  std::vector<int> theirs(kMostChunks);
  ChunkHelper helper([&](int32_t chunk) { theirs[chunk] = round; }, microseconds(0));
  for (int next = 1; next <= 2000; ++next) {
    while (!helper.rests()) std::this_thread::yield();
    round = next;
    const int32_t chunks = 1 + next % kMostChunks;
    std::vector<int> own(chunks);
    const int32_t helped = helper.share(chunks, [&](int32_t chunk) { own[chunk] = next; });
    ASSERT_LE(helped, chunks);
    for (int32_t chunk = 0; chunk < chunks; ++chunk) ASSERT_EQ((chunk < helped ? own : theirs)[chunk], next);
  }
}

// The helper is held up at the last of `chunks`, which it takes while the owner is at the first.
class HeldUp {
 public:
  HeldUp(int32_t chunks, std::chrono::steady_clock::duration patience)
      : chunks_(chunks), helper([this](int32_t chunk) { hold(chunk); }, patience) {}

  // Calls `meanwhile` once the helper is held up.
  template <typename Meanwhile>
  int32_t share(std::vector<int32_t>& own, Meanwhile&& meanwhile) {
    return helper.share(chunks_, [&](int32_t chunk) {
      own.push_back(chunk);
      if (chunk > 0) return;
      arrived_.acquire();
      meanwhile();
    });
  }

  void release() { released_.release(); }

 private:
  void hold(int32_t chunk) {
    if (chunk != chunks_ - 1) return;
    arrived_.release();
    released_.acquire();
  }

  const int32_t chunks_;
  std::binary_semaphore arrived_{0};
  std::binary_semaphore released_{0};

 public:
  ChunkHelper helper;  // last: it uses what stands above
};

TEST(ChunkHelper, WhatItIsHeldUpWithIsComputedAgain) {
  HeldUp held(4, microseconds(0));
  std::vector<int32_t> own;
  EXPECT_EQ(held.share(own, [] {}), 4);
  EXPECT_EQ(own, (std::vector<int32_t>{0, 1, 2, 3}));
  EXPECT_FALSE(held.helper.rests());
  held.release();
  while (!held.helper.rests()) std::this_thread::yield();
  own.clear();
  const int32_t helped = held.helper.share(3, [&](int32_t chunk) { own.push_back(chunk); });
  EXPECT_EQ(std::ssize(own), helped);
}

TEST(ChunkHelper, IsWaitedForWithinThePatience) {
  HeldUp held(2, hours(1));
  std::vector<int32_t> own;
  EXPECT_EQ(held.share(own, [&] { held.release(); }), 1);
  EXPECT_EQ(own, std::vector<int32_t>{0});
}

// A call that went unheard, or a helper that stayed awake, would never end this.
TEST(ChunkHelper, IsAwakeOnceCalledAndAsleepAgainLater) {
  HeldUp held(2, hours(1));
  EXPECT_FALSE(held.helper.is_awake());
  for (int turn = 0; turn < 3; ++turn) {
    held.helper.call();
    while (!held.helper.is_awake()) std::this_thread::yield();
    std::vector<int32_t> own;
    EXPECT_EQ(held.share(own, [&] { held.release(); }), 1);
    while (held.helper.is_awake()) std::this_thread::yield();
  }
}

TEST(ChunkHelper, EndsAsleepAwakeAndAtAChunk) {
  for (int turn = 0; turn < 50; ++turn) {
    const ChunkHelper asleep([](int32_t) {}, microseconds(0));
    ChunkHelper awake([](int32_t) {}, microseconds(0));
    awake.share(3, [](int32_t) {});
    HeldUp held(2, microseconds(0));
    std::vector<int32_t> own;
    EXPECT_EQ(held.share(own, [] {}), 2);
    held.release();
  }
}

}  // namespace
}  // namespace saferoute::ort
