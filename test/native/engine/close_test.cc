// Closing: idle, in the middle of things, more than once, from several threads, and while the guards still load.
#include <latch>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace saferoute::engine {
namespace {

using Kind = EscalationRule::Kind;
class CloseTest : public EngineTest {
 protected:
  // Waits until another thread's close() has begun, which is when the engine refuses even what it could not take
  // anyway.
  void wait_until_refused() {
    while (code_of([&] { engine_->route({}); }) != ErrorCode::kClosed) std::this_thread::yield();
  }
};

TEST_F(CloseTest, AnIdleEngineFreesItsGuards) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  EXPECT_EQ(small_.alive + large_.alive, 2);
  engine_->close();
  EXPECT_EQ(small_.alive + large_.alive, 0);
  EXPECT_EQ(code_of([&] { submit(1); }), ErrorCode::kClosed);
  EXPECT_EQ(code_of([&] { engine_->route({0, 0, 0, 0}); }), ErrorCode::kClosed);
  EXPECT_FALSE(engine_->cancel(1));
  EXPECT_TRUE(log_.all().empty());
}

TEST_F(CloseTest, MayBeRepeated) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  engine_->close();
  engine_->close();
}

// One request runs on each guard and one waits for each; every one of them is told, once.
TEST_F(CloseTest, EverythingInTheHouseFailsOnce) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  large_.pass_gate.shut();
  std::vector<Ticket> tickets = {submit(kHardFrom)};
  large_.pass_gate.wait_for_arrivals(1);
  tickets.push_back(submit(kHardFrom + 1));
  log_.wait_for_stage(tickets.back());
  small_.pass_gate.shut();
  tickets.push_back(submit(2));
  small_.pass_gate.wait_for_arrivals(3);
  tickets.push_back(submit(3));
  tickets.push_back(engine_->route({0, 0, 0, 0}));
  engine_->close();
  for (const Ticket ticket : tickets) {
    const Event failed = log_.wait_for(ticket);
    EXPECT_EQ(failed.kind, Event::Kind::kError);
    EXPECT_EQ(failed.error_code, ErrorCode::kClosed);
  }
  EXPECT_EQ(log_.all().size(), tickets.size() + 2);  // and two stages
  EXPECT_EQ(small_.passes_stopped, 1);
  EXPECT_EQ(large_.passes_stopped, 1);
  EXPECT_EQ(engine_->stats().failed, tickets.size());
}

// Who closes may keep the engine for long after, for its statistics.
TEST_F(CloseTest, ThePrefixCachesGiveTheirMemoryBack) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  log_.wait_for(submit(2));
  EXPECT_GT(engine_->stats().small.kv_pages, 0);
  EXPECT_GT(engine_->stats().large.kv_pages, 0);
  engine_->close();
  EXPECT_EQ(engine_->stats().small.kv_pages, 0);
  EXPECT_EQ(engine_->stats().large.kv_pages, 0);
  EXPECT_EQ(engine_->stats().small.rows, 1u);
}

TEST_F(CloseTest, BetweenTheQueuesARowFailsToo) {
  engine_ = std::make_unique<Engine>(
      small_.factory(), large_.factory(), with_rule(Kind::kAlways),
      [this](Event&& event) {
        const bool is_stage = event.kind == Event::Kind::kStage;
        log_.add(std::move(event));
        if (is_stage) large_.load_gate.pass({});
      },
      [this](const Error*) { ready_.set_value(std::nullopt); });
  ASSERT_FALSE(wait_until_ready());
  large_.load_gate.shut();  // holds the small lane after the stage event, before the row is handed over
  const Ticket ticket = submit(1);
  large_.load_gate.wait_for_arrivals(2);
  std::thread closer([this] { engine_->close(); });
  wait_until_refused();
  large_.load_gate.open();
  closer.join();
  EXPECT_EQ(log_.wait_for(ticket).error_code, ErrorCode::kClosed);
}

TEST_F(CloseTest, SeveralThreadsMayClose) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  occupy_small();
  constexpr int kClosers = 4;
  std::latch together(kClosers);
  std::vector<std::jthread> closers;
  for (int closer = 0; closer < kClosers; ++closer) {
    closers.emplace_back([&] {
      together.arrive_and_wait();
      engine_->close();
      EXPECT_EQ(small_.alive + large_.alive, 0);
    });
  }
}

TEST_F(CloseTest, ALoadIsStopped) {
  small_.load_gate.shut();
  large_.load_gate.shut();
  begin(with_rule(Kind::kRouter));
  small_.load_gate.wait_for_arrivals(1);
  large_.load_gate.wait_for_arrivals(1);
  engine_->close();
  const std::optional<Error> failure = wait_until_ready();
  ASSERT_TRUE(failure);
  EXPECT_EQ(failure->code(), ErrorCode::kClosed);
  EXPECT_EQ(small_.alive + large_.alive, 0);
}

// The small guard stands already and waits for the large one.
TEST_F(CloseTest, HalfALoadIsStopped) {
  large_.load_gate.shut();
  begin(with_rule(Kind::kRouter));
  large_.load_gate.wait_for_arrivals(1);
  engine_->close();
  EXPECT_EQ(wait_until_ready().value().code(), ErrorCode::kClosed);
  EXPECT_EQ(small_.alive + large_.alive, 0);
}

// A guard that finishes its load although it was told to stop is not used.
TEST_F(CloseTest, AGuardThatStandsTooLateIsFreed) {
  Gate closing;
  closing.shut();
  small_.on_load = [&] { closing.pass({}); };
  begin(with_rule(Kind::kRouter));
  closing.wait_for_arrivals(1);
  std::thread closer([this] { engine_->close(); });
  wait_until_refused();
  closing.open();
  closer.join();
  EXPECT_EQ(wait_until_ready().value().code(), ErrorCode::kClosed);
  EXPECT_EQ(small_.alive + large_.alive, 0);
}

TEST_F(CloseTest, TheDestructorCloses) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  const Ticket ticket = occupy_small();
  engine_.reset();
  EXPECT_EQ(log_.wait_for(ticket).error_code, ErrorCode::kClosed);
  EXPECT_EQ(small_.alive + large_.alive, 0);
}

}  // namespace
}  // namespace saferoute::engine
