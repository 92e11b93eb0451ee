// Prompts that begin alike, and prompts longer than a pass, through the whole engine: what is computed of them, what
// the caller hears, and that what is cached is what was computed.
#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "engine/engine_fixture.h"

namespace saferoute::engine {
namespace {

using Kind = EscalationRule::Kind;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

class PrefixReuseTest : public EngineTest {
 protected:
  static EngineOptions with_budget(int32_t batch_tokens) {
    EngineOptions options = with_rule(Kind::kNever);
    options.batch_tokens = batch_tokens;
    return options;
  }

  Event check_prompt(int32_t tag, size_t length) { return log_.wait_for(submit(tag, length)); }
};

TEST_F(PrefixReuseTest, ASecondPromptComputesOnlyItsOwnEnd) {
  ASSERT_FALSE(start(with_rule(Kind::kNever)));
  const Event first = check_prompt(3, 40);
  EXPECT_EQ(first.cached_tokens, 0);
  EXPECT_EQ(first.computed_tokens, 40);
  const Event second = check_prompt(3, 50);
  EXPECT_EQ(second.prompt_tokens, 50);
  EXPECT_EQ(second.cached_tokens, 40);
  EXPECT_EQ(second.computed_tokens, 10);
  EXPECT_EQ(second.small.value().safe, 3.0);
  EXPECT_EQ(small_.prompts().back(), (std::vector<std::vector<int32_t>>{prompt(3, 50)}));
  EXPECT_EQ(engine_->stats().small.cached_tokens, 40u);
  EXPECT_EQ(engine_->stats().small.kv_pages, 1024);
  EXPECT_EQ(engine_->stats().small.kv_pages_used, 4);
}

TEST_F(PrefixReuseTest, EachGuardHasItsOwnPages) {
  ASSERT_FALSE(start(with_rule(Kind::kAlways)));
  check_prompt(3, 40);
  const Event second = check_prompt(3, 40);
  EXPECT_EQ(second.cached_tokens, 78);
  EXPECT_EQ(second.computed_tokens, 2);
  EXPECT_EQ(small_.computed(), large_.computed());
}

TEST_F(PrefixReuseTest, ALongPromptIsReadAtItsEnd) {
  std::vector<bool> wants_features;
  small_.on_forward = [&](const Batch& batch) { wants_features.push_back(batch.want_features); };
  small_.answer = [&](int32_t tag) {
    const bool is_last = wants_features.size() == 4;
    return Answer{.logits = {is_last ? static_cast<float>(tag) : kNan, 0}, .hardness = is_last ? 0.1f : kNan};
  };
  ASSERT_FALSE(start(with_budget(16)));
  const Ticket ticket =
      engine_->submit({.target = Target::kSmall, .small_ids = prompt(7, 60), .large_ids = {}, .want_feature = true});
  const Event done = log_.wait_for(ticket);
  ASSERT_EQ(done.kind, Event::Kind::kDone) << done.error_message;
  EXPECT_EQ(done.small.value().safe, 7.0);
  EXPECT_EQ(done.small->feature, std::vector<float>(4, 7));
  EXPECT_EQ(done.computed_tokens, 60);
  EXPECT_GE(done.timing.total_ms, done.timing.queue_ms + done.timing.small_ms);
  EXPECT_EQ(small_.computed(), (std::vector<std::vector<int32_t>>{{16}, {16}, {16}, {12}}));
  EXPECT_EQ(wants_features, (std::vector<bool>{false, false, false, true}));
  EXPECT_EQ(small_.prompts().back().front(), prompt(7, 60));
  EXPECT_EQ(log_.of(ticket).size(), 1u);
}

TEST_F(PrefixReuseTest, AReadingThatIsNotFiniteLeavesNothingCached) {
  bool is_bad = true;
  small_.answer = [&](int32_t) { return Answer{.logits = {is_bad ? kNan : 1, 0}, .hardness = 0.1f}; };
  ASSERT_FALSE(start(with_budget(32)));
  EXPECT_EQ(check_prompt(3, 60).error_code, ErrorCode::kNotFinite);
  EXPECT_EQ(engine_->stats().small.kv_pages_used, 0);
  is_bad = false;
  const Event second = check_prompt(3, 60);
  EXPECT_EQ(second.kind, Event::Kind::kDone);
  EXPECT_EQ(second.cached_tokens, 0);
}

TEST_F(PrefixReuseTest, AFailedPassLeavesCachedWhatThePassesBeforeItComputed) {
  int passes = 0;
  small_.on_forward = [&](const Batch&) {
    if (++passes == 2) throw Error(ErrorCode::kBackend, "the device is gone");
  };
  ASSERT_FALSE(start(with_budget(32)));
  EXPECT_EQ(check_prompt(3, 60).error_code, ErrorCode::kBackend);
  const Event second = check_prompt(3, 60);
  EXPECT_EQ(second.kind, Event::Kind::kDone);
  EXPECT_EQ(second.cached_tokens, 32);
  EXPECT_EQ(second.computed_tokens, 28);
}

TEST_F(PrefixReuseTest, AStoppedPassLeavesNothingOfItselfCached) {
  ASSERT_FALSE(start(with_budget(32)));
  small_.pass_gate.shut();
  const Ticket given_up = submit(3, 60);
  small_.pass_gate.let_one_through();
  small_.pass_gate.wait_for_arrivals(2);
  EXPECT_TRUE(engine_->cancel(given_up));
  small_.pass_gate.open();
  const Event second = check_prompt(3, 60);
  EXPECT_EQ(second.kind, Event::Kind::kDone);
  EXPECT_EQ(second.cached_tokens, 32);
  EXPECT_EQ(small_.passes_stopped, 1);
}

// A long prompt of bulk work stands between two of its passes while an interactive one has the lane.
TEST_F(PrefixReuseTest, APromptGivenUpBetweenItsPassesGivesItsPagesBack) {
  EngineOptions options = with_budget(32);
  options.batch_rows = 1;
  options.max_wait_ms = 1e9;
  ASSERT_FALSE(start(options));
  small_.pass_gate.shut();
  Request request{.target = Target::kSmall, .small_ids = prompt(3, 60), .large_ids = {}};
  request.priority = Priority::kBulk;
  const Ticket bulk = engine_->submit(std::move(request));
  small_.pass_gate.wait_for_arrivals(1);
  const Ticket interactive = submit(4);
  small_.pass_gate.let_one_through();
  small_.pass_gate.wait_for_arrivals(2);
  EXPECT_EQ(engine_->stats().small.kv_pages_used, 5);
  EXPECT_TRUE(engine_->cancel(bulk));
  EXPECT_EQ(engine_->stats().small.kv_pages_used, 3);  // what was computed stays cached
  small_.pass_gate.open();
  EXPECT_EQ(log_.wait_for(interactive).kind, Event::Kind::kDone);
  EXPECT_EQ(small_.batches(), (std::vector<std::vector<int32_t>>{{3}, {4}}));
  EXPECT_TRUE(log_.of(bulk).empty());
  EXPECT_EQ(check_prompt(3, 60).cached_tokens, 32);
}

TEST_F(PrefixReuseTest, PagesBeyondTheBudgetAreGivenBack) {
  small_.info.kv_pages = 2;
  ASSERT_FALSE(start(with_rule(Kind::kNever)));
  const Event done = check_prompt(3, 60);
  EXPECT_EQ(done.kind, Event::Kind::kDone);
  EXPECT_EQ(small_.prompts().back().front(), prompt(3, 60));
  log_.wait_for(engine_->route({0, 0, 0, 0}));
  EXPECT_EQ(small_.overflow_pages(), 0u);
  EXPECT_EQ(check_prompt(3, 33).cached_tokens, 32);
}

class PrefixReuseStress : public PrefixReuseTest, public testing::WithParamInterface<uint32_t> {};

// Prompts over few tokens, few pages, small passes, some prompts given up: every row's pages hold the beginning of a
// prompt that was submitted, and whoever is settled was read at the end of its own.
TEST_P(PrefixReuseStress, EveryRowFindsItsOwnPromptInItsPages) {
  std::mt19937 random(GetParam());
  small_.info.kv_pages = static_cast<int32_t>(3 + random() % 6);
  large_.info.kv_pages = static_cast<int32_t>(3 + random() % 6);
  EngineOptions options = with_rule(Kind::kAlways);
  options.batch_tokens = static_cast<int32_t>(8 + random() % 64);
  options.batch_rows = 4;
  ASSERT_FALSE(start(options));
  std::vector<std::vector<int32_t>> submitted;
  std::vector<Ticket> wanted;
  for (int count = 0; count < 300; ++count) {
    std::vector<int32_t> ids;
    if (!submitted.empty() && random() % 4 > 0) {
      ids = submitted[random() % submitted.size()];
      ids.resize(1 + random() % ids.size());
    }
    const size_t length = std::max<size_t>(ids.size(), 1 + random() % 64);
    while (ids.size() < length) ids.push_back(static_cast<int32_t>(random() % 3));
    submitted.push_back(ids);
    Request request{.target = Target::kCascade, .small_ids = std::move(ids), .large_ids = {}};
    request.priority = random() % 2 ? Priority::kBulk : Priority::kInteractive;
    const Ticket ticket = engine_->submit(std::move(request));
    if (random() % 8 > 0 || !engine_->cancel(ticket)) wanted.push_back(ticket);
  }
  for (const Ticket ticket : wanted) EXPECT_EQ(log_.wait_for(ticket).kind, Event::Kind::kDone);
  engine_->close();
  const auto is_beginning = [&](const std::vector<int32_t>& found) {
    return std::any_of(submitted.begin(), submitted.end(), [&](const std::vector<int32_t>& ids) {
      return found.size() <= ids.size() && std::equal(found.begin(), found.end(), ids.begin());
    });
  };
  for (const FakeGuard* guard : {&small_, &large_}) {
    for (const auto& batch : guard->prompts()) {
      EXPECT_TRUE(std::all_of(batch.begin(), batch.end(), is_beginning));
    }
    for (const std::vector<int32_t>& batch : guard->computed()) {
      EXPECT_LE(std::accumulate(batch.begin(), batch.end(), 0), options.batch_tokens);
      EXPECT_LE(batch.size(), 4u);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PrefixReuseStress, testing::Range(0u, 12u));

}  // namespace
}  // namespace saferoute::engine
