// Deadlines: who fails by them, and who is let finish.
#include <limits>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace saferoute::engine {
namespace {

using Kind = EscalationRule::Kind;

class DeadlineTest : public EngineTest {
 protected:
  static constexpr double kOver = 0;        // ms: passed before any lane can look
  static constexpr double kFarOff = 1e300;  // ms

  Ticket submit_until(double deadline_ms, int32_t tag, Target target = Target::kCascade) {
    Request request;
    request.target = target;
    (target == Target::kLarge ? request.large_ids : request.small_ids) = prompt(tag);
    request.deadline_ms = deadline_ms;
    return engine_->submit(std::move(request));
  }
};

TEST_F(DeadlineTest, AWaitingRequestFailsOnceItsDeadlinePassed) {
  ASSERT_FALSE(start(with_rule(Kind::kNever)));
  const Event failed = log_.wait_for(submit_until(kOver, 2));
  EXPECT_EQ(failed.kind, Event::Kind::kError);
  EXPECT_EQ(failed.error_code, ErrorCode::kDeadline);
  EXPECT_EQ(failed.error_message, "the deadline of 0 ms passed before the small guard began");
  EXPECT_FALSE(failed.small);
  EXPECT_TRUE(small_.batches().empty());
  EXPECT_EQ(engine_->stats().failed, 1u);
  EXPECT_EQ(check(3).kind, Event::Kind::kDone);
}

TEST_F(DeadlineTest, OthersGoOnWithoutIt) {
  EngineOptions options = with_rule(Kind::kNever);
  options.max_wait_ms = 1e9;  // the earliest deadline goes first, however long the test takes
  ASSERT_FALSE(start(options));
  occupy_small();
  const Ticket before = submit(10);
  const Ticket overdue = submit_until(kOver, 11);
  const Ticket after = submit_until(kFarOff, 12);
  small_.pass_gate.open();
  EXPECT_EQ(log_.wait_for(overdue).error_code, ErrorCode::kDeadline);
  EXPECT_EQ(log_.wait_for(before).kind, Event::Kind::kDone);
  EXPECT_EQ(log_.wait_for(after).kind, Event::Kind::kDone);
  EXPECT_EQ(small_.batches().back(), (std::vector<int32_t>{12, 10}));
}

// No clock can make this pass fail: the row is in flight before the deadline is looked at again.
TEST_F(DeadlineTest, ARowInFlightIsLetFinish) {
  ASSERT_FALSE(start(with_rule(Kind::kNever)));
  small_.pass_gate.shut();
  const Ticket ticket = submit_until(60000, 2);
  small_.pass_gate.wait_for_arrivals(1);
  small_.pass_gate.open();
  EXPECT_EQ(log_.wait_for(ticket).kind, Event::Kind::kDone);
}

// Nobody has looked at it, and no verdict of the small guard stands in for the large one's.
TEST_F(DeadlineTest, AHardRowFailsBeforeTheLargeGuard) {
  ASSERT_FALSE(start(with_rule(Kind::kNever)));
  large_.pass_gate.shut();
  const Ticket running = submit(1, 1, Target::kLarge);
  large_.pass_gate.wait_for_arrivals(1);
  const Ticket overdue = submit_until(kOver, 2, Target::kLarge);
  large_.pass_gate.open();
  const Event failed = log_.wait_for(overdue);
  EXPECT_EQ(failed.error_code, ErrorCode::kDeadline);
  EXPECT_EQ(failed.error_message, "the deadline of 0 ms passed before the large guard began");
  EXPECT_FALSE(failed.large);
  EXPECT_EQ(log_.wait_for(running).kind, Event::Kind::kDone);
  EXPECT_EQ(large_.batches().size(), 1u);
}

// The last waiting row of the small guard fails, and with it the reason for which the large one gathered.
TEST_F(DeadlineTest, AnOverdueRowNoLongerKeepsTheSmallLaneBusy) {
  EngineOptions options = with_rule(Kind::kNever);
  options.max_wait_ms = 1e9;
  ASSERT_FALSE(start(options));
  occupy_small();
  const Ticket large = submit(5, 1, Target::kLarge);
  submit_until(kOver, 2);
  small_.pass_gate.open();
  EXPECT_EQ(log_.wait_for(large).kind, Event::Kind::kDone);
}

TEST_F(DeadlineTest, RefusesDeadlinesThatAreNone) {
  ASSERT_FALSE(start(with_rule(Kind::kNever)));
  for (const double bad : {-1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_EQ(code_of([&] { submit_until(bad, 1); }), ErrorCode::kInvalidArgument);
  }
}

}  // namespace
}  // namespace saferoute::engine
