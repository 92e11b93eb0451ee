// Features that are routed on the threads of those who ask.
#include <limits>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace saferoute::engine {
namespace {

using Kind = EscalationRule::Kind;

class FakeRouter : public FeatureRouter {
 public:
  float route(std::span<const float> feature) const noexcept override {
    gate.pass({});
    return feature[0] < 1 ? feature[0] : std::numeric_limits<float>::quiet_NaN();  // as where a sum overflows
  }

  mutable Gate gate;
};

class RouteHereTest : public EngineTest {
 protected:
  RouteHereTest() { small_.info.feature_router = router_; }

  std::optional<double> route(float first) { return engine_->route_here(std::vector<float>{first, 0, 0, 0}); }

  const std::shared_ptr<FakeRouter> router_ = std::make_shared<FakeRouter>();
};

TEST_F(RouteHereTest, AnswersWhileTheLaneIsBusy) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  occupy_small();
  EXPECT_EQ(route(0.25f), 0.25);
  EXPECT_EQ(route(0.5f), 0.5);
  const EngineStats stats = engine_->stats();
  EXPECT_EQ(stats.submitted, 3u);
  EXPECT_EQ(stats.completed, 2u);
  EXPECT_EQ(stats.total_latency.count, 0u);
  EXPECT_TRUE(log_.all().empty());
  small_.pass_gate.open();
}

TEST_F(RouteHereTest, IsLeftToTheLaneWhereTheRouterIsItsOwn) {
  small_.info.feature_router = nullptr;
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  EXPECT_EQ(route(0.25f), std::nullopt);
  EXPECT_EQ(engine_->stats().submitted, 0u);
  EXPECT_EQ(log_.wait_for(engine_->route({0.25f, 0, 0, 0})).hardness, 0.25);
}

TEST_F(RouteHereTest, ANotFiniteHardnessIsAnError) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  EXPECT_EQ(code_of([&] { route(1); }), ErrorCode::kNotFinite);
  const EngineStats stats = engine_->stats();
  EXPECT_EQ(stats.submitted, 1u);
  EXPECT_EQ(stats.failed, 1u);
}

TEST_F(RouteHereTest, RefusesWhatIsNoFeature) {
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  for (const std::vector<float>& feature : {std::vector<float>(3), std::vector<float>(5),
                                            std::vector<float>{0, 0, std::numeric_limits<float>::infinity(), 0}}) {
    EXPECT_EQ(code_of([&] { engine_->route_here(feature); }), ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(engine_->stats().submitted, 0u);
}

TEST_F(RouteHereTest, NeedsARouter) {
  small_.info.has_router = false;
  small_.info.feature_router = nullptr;
  ASSERT_FALSE(start(with_rule(Kind::kNever)));
  EXPECT_EQ(code_of([&] { route(0); }), ErrorCode::kUnsupported);
}

TEST_F(RouteHereTest, NeedsAnOpenEngine) {
  small_.load_gate.shut();
  begin(with_rule(Kind::kRouter));
  EXPECT_EQ(code_of([&] { route(0); }), ErrorCode::kInvalidArgument);
  small_.load_gate.open();
  ASSERT_FALSE(wait_until_ready());
  EXPECT_EQ(route(0), 0.0);
  engine_->close();
  EXPECT_EQ(code_of([&] { route(0); }), ErrorCode::kClosed);
}

// The close waits for no caller, and what a caller still computes with goes with that caller.
TEST_F(RouteHereTest, WhatACloseOvertakesIsAnError) {
  auto router = std::make_shared<FakeRouter>();
  const std::weak_ptr<FakeRouter> watched = router;
  small_.info.feature_router = router;
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  router->gate.shut();
  {
    const std::jthread caller([&] { EXPECT_EQ(code_of([&] { route(0.5f); }), ErrorCode::kClosed); });
    router->gate.wait_for_arrivals(1);
    engine_->close();
    small_.info.feature_router.reset();
    router->gate.open();
  }
  const EngineStats stats = engine_->stats();
  EXPECT_EQ(stats.submitted, 1u);
  EXPECT_EQ(stats.failed, 1u);
  router.reset();
  EXPECT_TRUE(watched.expired());
}

TEST_F(RouteHereTest, CallersShareTheRouterAmongRequestsAndAClose) {
  constexpr int kCallers = 4;
  constexpr int kCallsEach = 500;
  ASSERT_FALSE(start(with_rule(Kind::kRouter)));
  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < kCallers; ++caller) {
      callers.emplace_back([this, caller] {
        const float mine = static_cast<float>(caller) / kCallers;
        try {
          for (int call = 0; call < kCallsEach; ++call) {
            EXPECT_EQ(route(mine), mine);
            if (call % 4 == 0) submit(caller);
            if (call % 16 == 0) engine_->stats();
          }
        } catch (const Error& error) {
          EXPECT_TRUE(error.code() == ErrorCode::kClosed || error.code() == ErrorCode::kOverloaded) << error.what();
        }
      });
    }
    router_->gate.wait_for_arrivals(kCallers * kCallsEach / 2);
    engine_->close();
  }
  const EngineStats stats = engine_->stats();
  EXPECT_GE(stats.completed, static_cast<uint64_t>(kCallers * kCallsEach / 2 - kCallers));
  EXPECT_EQ(stats.submitted, stats.completed + stats.failed);
}

}  // namespace
}  // namespace saferoute::engine
