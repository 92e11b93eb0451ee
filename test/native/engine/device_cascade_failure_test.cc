// A pass through both guards that somebody gives up, that is closed in its midst, that fails, or whose answer is wrong.
#include <limits>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "engine/device_cascade_fixture.h"

namespace saferoute::engine {
namespace {

using Kind = EscalationRule::Kind;
using DeviceCascadeFailureTest = DeviceCascadeTest;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST_F(DeviceCascadeFailureTest, ACancelledRowLeavesTheOthers) {
  ASSERT_FALSE(start(with_rule(Kind::kAlways)));
  occupy_small();
  const Ticket given_up = submit(10, 20);
  const Ticket kept = submit(11, 20);
  small_.pass_gate.let_one_through();
  small_.pass_gate.wait_for_arrivals(2);
  EXPECT_TRUE(engine_->cancel(given_up));
  small_.pass_gate.open();
  EXPECT_TRUE(log_.wait_for(kept).large);
  engine_->close();
  EXPECT_EQ(small_.cascades, 1);
  EXPECT_EQ(small_.passes_stopped, 0);
  EXPECT_TRUE(log_.of(given_up).empty());
}

TEST_F(DeviceCascadeFailureTest, TheLastCancelledStopsThePass) {
  ASSERT_FALSE(start(with_rule(Kind::kAlways)));
  occupy_small();
  const Ticket first = submit(10, 20);
  const Ticket second = submit(11, 20);
  small_.pass_gate.let_one_through();
  small_.pass_gate.wait_for_arrivals(2);
  EXPECT_EQ(engine_->stats().large.kv_pages_used, 4);
  EXPECT_TRUE(engine_->cancel(first));
  EXPECT_TRUE(engine_->cancel(second));
  const Ticket next = submit(12, 1, Target::kSmall);
  small_.pass_gate.wait_for_arrivals(3);  // only because the pass before was stopped
  EXPECT_EQ(small_.passes_stopped, 1);
  EXPECT_EQ(engine_->stats().large.kv_pages_used, 0);
  EXPECT_EQ(engine_->stats().large.running, 0u);
  small_.pass_gate.open();
  EXPECT_EQ(log_.wait_for(next).kind, Event::Kind::kDone);
  EXPECT_TRUE(large_.batches().empty());
}

// A device that does not hear the stop: the large guard must stand until the pass is over.
TEST_F(DeviceCascadeFailureTest, AClosedEngineWaitsForThePassThatHasTheLargeGuard) {
  Gate deaf;
  deaf.shut();
  int large_guards = 0;
  small_.on_forward = [&](const Batch&) {
    deaf.pass({});
    large_guards = large_.alive;
  };
  ASSERT_FALSE(start(with_rule(Kind::kAlways)));
  const Ticket ticket = submit(10);
  deaf.wait_for_arrivals(1);
  const Ticket waiting = submit(11, 1, Target::kLarge);
  std::thread closer([this] { engine_->close(); });
  while (code_of([&] { engine_->route({}); }) != ErrorCode::kClosed) std::this_thread::yield();
  deaf.open();
  closer.join();
  EXPECT_EQ(large_guards, 1);
  EXPECT_EQ(log_.wait_for(ticket).error_code, ErrorCode::kClosed);
  EXPECT_EQ(log_.wait_for(waiting).error_code, ErrorCode::kClosed);
  EXPECT_EQ(log_.all().size(), 2u);
  EXPECT_EQ(small_.alive + large_.alive, 0);
}

TEST_F(DeviceCascadeFailureTest, AFailedPassFailsEveryRowOfIt) {
  large_.on_forward = [](const Batch&) { throw Error(ErrorCode::kBackend, "the device is gone"); };
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  for (const Event& event : check_together({2, kHardFrom}, 20)) {
    EXPECT_EQ(event.kind, Event::Kind::kError);
    EXPECT_EQ(event.error_message, "the device is gone");
    EXPECT_FALSE(event.small);
  }
  EXPECT_EQ(engine_->stats().escalated, 0u);
  EXPECT_EQ(engine_->stats().valves.decided, 0u);
  EXPECT_EQ(engine_->stats().large.kv_pages_used, 0);
  large_.on_forward = [](const Batch&) {};
  EXPECT_TRUE(check(kHardFrom).large);
  EXPECT_EQ(small_.cascades, 2);
}

TEST_F(DeviceCascadeFailureTest, ANotFiniteLargeReadingIsNoVerdictAndLeavesNothingCached) {
  large_.answer = [](int32_t tag) { return Answer{.logits = {tag == kHardFrom ? kNan : 1, 0}}; };
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  const std::vector<Event> events = check_together({kHardFrom, kHardFrom + 1}, 20);
  EXPECT_EQ(events[0].error_code, ErrorCode::kNotFinite);
  EXPECT_EQ(events[0].kind, Event::Kind::kError);
  EXPECT_FALSE(events[0].large);
  EXPECT_EQ(log_.of(events[0].ticket).front().kind, Event::Kind::kStage);
  EXPECT_EQ(events[1].kind, Event::Kind::kDone);
  EXPECT_EQ(engine_->stats().large.kv_pages_used, 2);  // of the second
  EXPECT_EQ(engine_->stats().small.kv_pages_used, 3);
}

TEST_F(DeviceCascadeFailureTest, ANotFiniteSmallReadingIsNoVerdict) {
  small_.answer = [](int32_t tag) { return Answer{.logits = {tag == 2 ? kNan : 1, 0}, .hardness = 0.1f}; };
  ASSERT_FALSE(start(with_rule(Kind::kAlways)));
  const std::vector<Event> events = check_together({2, 3}, 20);
  EXPECT_EQ(events[0].error_code, ErrorCode::kNotFinite);
  EXPECT_FALSE(events[0].small || events[0].large);
  EXPECT_EQ(log_.of(events[0].ticket).size(), 1u);
  EXPECT_TRUE(events[1].large);
  EXPECT_EQ(engine_->stats().small.kv_pages_used, 2);
  EXPECT_EQ(engine_->stats().large.kv_pages_used, 4);  // the large guard's numbers are good
}

// The plan told the device otherwise: what its large guard has not read, the other way reads.
TEST_F(DeviceCascadeFailureTest, ARowThatTheDeviceLeftOutGoesByTheQueue) {
  small_.on_hard_rows = [](std::vector<int32_t>& rows) { rows.clear(); };
  int large_rows = 0;
  large_.answer = [&](int32_t tag) {
    large_rows += 1;
    return large_rows == 1 ? Answer{} : Answer{.logits = {static_cast<float>(tag), 0}};
  };
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  const Event done = check(kHardFrom);
  EXPECT_EQ(done.large.value().safe, static_cast<double>(kHardFrom));
  EXPECT_EQ(small_.cascades, 1);
  EXPECT_EQ(engine_->stats().large.rows, 1u);
}

TEST_F(DeviceCascadeFailureTest, ARowThatTheRuleKeepsIsSettledByTheSmallReading) {
  // Of two rows the device reads the first, and says that it was the second.
  small_.on_hard_rows = [](std::vector<int32_t>& rows) { rows = {1}; };
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  const std::vector<Event> events = check_together({kHardFrom, 2}, 20);
  EXPECT_EQ(events[1].kind, Event::Kind::kDone);
  EXPECT_EQ(events[1].escalation, Escalation::kNone);
  EXPECT_FALSE(events[1].large);
  EXPECT_EQ(events[1].computed_tokens, 1);
  EXPECT_EQ(log_.of(events[1].ticket).size(), 1u);
  EXPECT_TRUE(events[0].large);  // by the queue
  EXPECT_EQ(engine_->stats().large.rows, 2u);
  EXPECT_EQ(engine_->stats().escalated, 1u);
}

TEST_F(DeviceCascadeFailureTest, AnAnswerThatDoesNotFitThePlanIsABackendFailure) {
  EngineOptions options = with_rule(Kind::kAlways);
  options.batch_tokens = 50;  // the third row of each pass is forbidden
  ASSERT_FALSE(start(options));
  for (const std::vector<int32_t>& rows : std::vector<std::vector<int32_t>>{{0, 2}, {0, 3}, {-1, 0}, {1, 0}, {0, 0}}) {
    small_.on_hard_rows = [&](std::vector<int32_t>& hard) { hard = rows; };
    for (const Event& event : check_together({10, 11, 12}, 25)) {
      EXPECT_EQ(event.kind, Event::Kind::kError);
      EXPECT_EQ(event.error_code, ErrorCode::kBackend);
    }
  }
  small_.on_hard_rows = [](std::vector<int32_t>& hard) { hard.pop_back(); };
  for (const Event& event : check_together({10, 11}, 25)) {
    EXPECT_EQ(event.error_message, "the large guard answered with 4 logits, expected 2");
  }
}

}  // namespace
}  // namespace saferoute::engine
