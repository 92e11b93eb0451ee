// Several threads submit, cancel, route, ask for figures and at last close, by a seed: every ticket is settled exactly
// once.
#include <algorithm>
#include <limits>
#include <map>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace saferoute::engine {
namespace {

using Kind = EscalationRule::Kind;

constexpr int kCallers = 4;
constexpr int kCallsEach = 1500;

struct Calls {
  std::vector<Ticket> taken;
  std::vector<Ticket> cancelled;
};

class StressTest : public EngineTest, public testing::WithParamInterface<uint32_t> {
 protected:
  // One caller's day. Ends early once the engine is closed.
  Calls call(uint32_t seed) {
    std::mt19937 random(seed);
    Calls calls;
    for (int count = 0; count < kCallsEach; ++count) {
      try {
        calls.taken.push_back(call_once(random));
      } catch (const Error& error) {
        if (error.code() == ErrorCode::kClosed) return calls;
        EXPECT_EQ(error.code(), ErrorCode::kOverloaded);
        std::this_thread::yield();
      }
      if (!calls.taken.empty() && random() % 4 == 0) {
        const Ticket ticket = calls.taken[calls.taken.size() - 1 - random() % std::min<size_t>(calls.taken.size(), 8)];
        if (engine_->cancel(ticket)) calls.cancelled.push_back(ticket);
      }
      if (random() % 64 == 0) engine_->stats();
    }
    return calls;
  }

  Ticket call_once(std::mt19937& random) {
    if (random() % 8 == 0) return engine_->route({0.5f, 0, 0, 0});
    Request request;
    request.target = static_cast<Target>(random() % 3);
    (request.target == Target::kLarge ? request.large_ids : request.small_ids) =
        prompt(static_cast<int32_t>(random() % 1000), 1 + random() % (random() % 8 == 0 ? 60 : 20));
    if (random() % 2 == 0) request.priority = Priority::kBulk;
    if (random() % 16 == 0) request.deadline_ms = static_cast<double>(random() % 8) / 4;
    return engine_->submit(std::move(request));
  }
};

TEST_P(StressTest, EveryTicketIsSettledOnce) {
  // One prompt in a hundred makes its pass fail, and one its own reading.
  small_.on_forward = [](const Batch& batch) {
    if (batch.tokens[0] % 100 == 0) throw Error(ErrorCode::kBackend, "a bad pass");
  };
  large_.answer = [](int32_t tag) {
    return Answer{.logits = {tag % 100 == 1 ? std::numeric_limits<float>::infinity() : 0.0f, 0.0f}};
  };
  small_.info.kv_pages = large_.info.kv_pages = 4;
  if (GetParam() % 4 >= 2) small_.cascade_into(large_);
  EngineOptions options = with_rule(Kind::kRouter);
  options.queue_requests = 64;
  options.batch_tokens = 50;
  options.batch_rows = 8;
  options.max_wait_ms = 0.1;
  ASSERT_FALSE(start(options));

  std::vector<Calls> calls(kCallers);
  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < kCallers; ++caller) {
      callers.emplace_back([&, caller] { calls[caller] = call(GetParam() * kCallers + caller); });
    }
    // Half of the seeds close in the midst of it, the others once all callers are done.
    if (GetParam() % 2 == 0) {
      small_.pass_gate.wait_for_arrivals(100);
      engine_->close();
    }
  }
  engine_->close();

  std::map<Ticket, int> settled, stages;
  for (const Event& event : log_.all()) (event.kind == Event::Kind::kStage ? stages : settled)[event.ticket] += 1;
  std::map<Ticket, int> expected;
  for (const Calls& caller : calls) {
    for (const Ticket ticket : caller.taken) expected[ticket] = 1;
  }
  const size_t taken = expected.size();
  for (const Calls& caller : calls) {
    for (const Ticket ticket : caller.cancelled) expected.erase(ticket);
  }
  EXPECT_EQ(settled, expected);
  for (const auto& [ticket, count] : stages) EXPECT_EQ(count, 1) << ticket;
  const EngineStats stats = engine_->stats();
  EXPECT_EQ(stats.submitted, taken);
  EXPECT_EQ(stats.completed + stats.failed + stats.cancelled, taken);
  EXPECT_EQ(stats.completed + stats.failed, expected.size());
  EXPECT_FALSE(small_.used_twice_at_once || large_.used_twice_at_once);
}

INSTANTIATE_TEST_SUITE_P(Seeds, StressTest, testing::Range(0u, 8u));

}  // namespace
}  // namespace saferoute::engine
