// The scheduler without lanes: its calls in an order that threads of their own would seldom come to.
#include "engine/scheduler.h"

#include <atomic>
#include <future>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "engine/fake_guard.h"

namespace saferoute::engine {
namespace {

// Calls that take the scheduler's lock: by the end a thread that wants it as well has most probably had it.
void let_others_in(const Scheduler& scheduler) {
  for (int turn = 0; turn < 2000; ++turn) scheduler.stats();
}

// A large row gathers while a small one waits. The small one is cancelled before its lane looks again, so that the lane
// finds nothing to do. Would nobody tell the large lane, it slept on for `max_wait_ms`, and this test with it.
TEST(Scheduler, ALargeRowWaitsNoLongerOnceTheSmallLaneIsDry) {
  for (int round = 0; round < 10; ++round) {
    EngineOptions options;
    options.max_wait_ms = 1e9;
    const FakeGuard small, large;
    Scheduler scheduler(options, true);
    scheduler.guard_loaded(LaneId::kSmall, small.info);
    scheduler.guard_loaded(LaneId::kLarge, large.info);
    const Ticket unwanted = scheduler.submit({.target = Target::kSmall, .small_ids = prompt(1), .large_ids = {}});
    scheduler.submit({.target = Target::kLarge, .small_ids = {}, .large_ids = prompt(2)});

    std::atomic<bool> begun = false;
    auto large_turn = std::async(std::launch::async, [&] {
      begun = true;
      return scheduler.next(LaneId::kLarge);
    });
    while (!begun) std::this_thread::yield();
    let_others_in(scheduler);
    EXPECT_TRUE(scheduler.cancel(unwanted));
    auto small_turn = std::async(std::launch::async, [&] { return scheduler.next(LaneId::kSmall); });

    const std::optional<Turn> turn = large_turn.get();
    ASSERT_TRUE(turn.has_value());
    EXPECT_NE(turn->flight, nullptr);
    scheduler.close();
    EXPECT_FALSE(small_turn.get().has_value());
  }
}

}  // namespace
}  // namespace saferoute::engine
