// Every way in which an owner and a helper can meet over the chunks, one step at a time.
#include "ort/chunk_split.h"

#include <thread>

#include <gtest/gtest.h>

namespace saferoute::ort {
namespace {

TEST(ChunkSplit, HasNothingToTakeBeforeTheFirstOffer) {
  ChunkSplit split;
  EXPECT_TRUE(split.helper_rests());
  EXPECT_FALSE(split.has_news());
  EXPECT_FALSE(split.take_front());
  EXPECT_FALSE(split.take_back());
}

TEST(ChunkSplit, IsTakenFromBothEnds) {
  ChunkSplit split;
  split.offer(5);
  EXPECT_TRUE(split.has_news());
  EXPECT_EQ(split.take_front(), 0);
  EXPECT_EQ(split.take_back(), 4);
  split.finish(4);
  EXPECT_EQ(split.take_back(), 3);
  EXPECT_EQ(split.take_front(), 1);
  EXPECT_EQ(split.take_front(), 2);
  EXPECT_FALSE(split.take_front());
  EXPECT_FALSE(split.take_back());
  EXPECT_FALSE(split.has_news());
  EXPECT_EQ(split.taken_from(), 3);
  EXPECT_EQ(split.finished_from(), 4);
  EXPECT_FALSE(split.helper_rests());
  split.finish(3);
  EXPECT_EQ(split.finished_from(), 3);
  EXPECT_TRUE(split.helper_rests());
}

TEST(ChunkSplit, AHelperThatComesTooLateFindsNothing) {
  ChunkSplit split;
  for (int work = 0; work < 3; ++work) {
    split.offer(1);
    EXPECT_EQ(split.take_front(), 0);
    EXPECT_FALSE(split.take_back());
    EXPECT_TRUE(split.helper_rests());
    EXPECT_EQ(split.taken_from(), 1);
    EXPECT_EQ(split.finished_from(), 1);
  }
}

TEST(ChunkSplit, TheHelperMayTakeAll) {
  ChunkSplit split;
  split.offer(2);
  for (const int32_t chunk : {1, 0}) {
    EXPECT_EQ(split.take_back(), chunk);
    split.finish(chunk);
  }
  EXPECT_FALSE(split.take_front());
  EXPECT_EQ(split.finished_from(), 0);
  EXPECT_TRUE(split.helper_rests());
}

TEST(ChunkSplit, WakesItsHelperForWorkAndForTheEnd) {
  ChunkSplit split;
  int32_t taken = 0;
  std::thread helper([&] {
    while (split.wait()) {
      while (const auto chunk = split.take_back()) {
        ++taken;
        split.finish(*chunk);
      }
    }
  });
  for (int work = 0; work < 100; ++work) {
    split.offer(1);
    while (split.has_news() || !split.helper_rests()) std::this_thread::yield();
  }
  split.end();
  helper.join();
  EXPECT_EQ(taken, 100);
}

TEST(ChunkSplit, ACallIsHeardOnceAndLeavesNothingToTake) {
  ChunkSplit split;
  split.offer(1);
  EXPECT_EQ(split.take_front(), 0);
  split.call();
  EXPECT_FALSE(split.take_front());
  EXPECT_FALSE(split.take_back());
  EXPECT_FALSE(split.has_news());
  EXPECT_TRUE(split.helper_rests());
  EXPECT_TRUE(split.wait());
  std::thread helper([&] { EXPECT_FALSE(split.wait()); });
  split.end();
  helper.join();
}

TEST(ChunkSplit, AnOfferStandsForACallThatNobodyHeard) {
  ChunkSplit split;
  split.call();
  split.offer(2);
  EXPECT_TRUE(split.wait());
  EXPECT_EQ(split.take_back(), 1);
}

}  // namespace
}  // namespace saferoute::ort
