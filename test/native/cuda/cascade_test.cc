// Both guards in one graph say what they say one after the other, whichever rows are hard.
#include <algorithm>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "cuda/backend.h"
#include "cuda/cascade_graph.h"
#include "cuda/device_test.h"
#include "cuda/golden_checkpoint.h"
#include "cuda/stream.h"
#include "engine/device_cascade.h"
#include "engine/error.h"
#include "ort/batches.h"

namespace saferoute::cuda {
namespace {

using engine::RowRule;
using test::batch_of;

PairSource pair_of(const test::GoldenCheckpoint& small) {
  PairSource source;
  source.small = small.source;
  source.large = test::golden_checkpoint("llama-tied-f16").source;
  source.gpu_limit.bytes = 1ull << 30;
  source.batch_tokens = 2304;
  source.batch_rows = 32;
  return source;
}

class CascadeTest : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    const test::GoldenCheckpoint golden = test::golden_checkpoint("llama-untied-f32");
    prompts_ = golden.prompts;
    Pair pair(pair_of(golden));
    small_ = pair.make_guard(GuardRole::kSmall, {});
    large_ = pair.make_guard(GuardRole::kLarge, {});
  }

  engine::CascadeReading cascade(const engine::EscalationPlan& plan) {
    return small_->cascade(batch_of(prompts_, false), batch_of(prompts_, false), plan, {});
  }

  engine::EscalationPlan by_hardness(double threshold) const {
    return {.threshold = threshold, .rows = std::vector<RowRule>(prompts_.size(), RowRule::kByHardness)};
  }

  // That `reading` is the small guard's of every prompt, and the large one's of `hard`.
  void expect_reads(const engine::CascadeReading& reading, const std::vector<int32_t>& hard) {
    EXPECT_EQ(reading.hard_rows, hard);
    const engine::BatchReading small = small_->forward(batch_of(prompts_, false), {});
    expect_near(reading.small.logits, small.logits);
    expect_near(reading.small.hardness, small.hardness);
    if (hard.empty()) return;
    std::vector<std::vector<int32_t>> hard_prompts;
    for (const int32_t row : hard) hard_prompts.push_back(prompts_[static_cast<size_t>(row)]);
    expect_near(reading.large.logits, large_->forward(batch_of(hard_prompts, false), {}).logits);
  }

  // The products of another shape are summed in another order: what bf16 makes of that.
  static void expect_near(const std::vector<float>& a, const std::vector<float>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 0.05) << "at " << i;
  }

  // So that as many rows are hard, and none is so near the threshold that another order of sums could turn it.
  double threshold_for(size_t hard_rows) {
    std::vector<float> hardness = small_->forward(batch_of(prompts_, false), {}).hardness;
    std::ranges::sort(hardness, std::ranges::greater());
    return (static_cast<double>(hardness[hard_rows - 1]) + hardness[hard_rows]) / 2;
  }

  std::vector<int32_t> rows_above(double threshold) {
    const std::vector<float> hardness = small_->forward(batch_of(prompts_, false), {}).hardness;
    std::vector<int32_t> rows;
    for (size_t row = 0; row < hardness.size(); ++row) {
      if (hardness[row] > threshold) rows.push_back(static_cast<int32_t>(row));
    }
    return rows;
  }

  std::vector<std::vector<int32_t>> prompts_;
  std::unique_ptr<engine::Backend> small_;
  std::unique_ptr<engine::Backend> large_;
};

// The first cascade of a shape goes step by step and captures the graph, those after it replay it; every number of hard
// rows takes one of its branches.
TEST_F(CascadeTest, EscalatesTheHardRowsAndNoOthers) {
  ASSERT_TRUE(small_->info().cascades);
  EXPECT_FALSE(large_->info().cascades);
  for (const size_t hard : {5u, 1u, 2u, 10u, 20u, 5u}) {
    const double threshold = threshold_for(hard);
    expect_reads(cascade(by_hardness(threshold)), rows_above(threshold));
  }
}

TEST_F(CascadeTest, TakesNoneOfTheRowsAndAllOfThem) {
  std::vector<int32_t> all(prompts_.size());
  for (size_t row = 0; row < all.size(); ++row) all[row] = static_cast<int32_t>(row);
  for (int replay = 0; replay < 2; ++replay) {
    expect_reads(cascade(by_hardness(1)), {});
    expect_reads(cascade(by_hardness(-1)), all);
  }
}

TEST_F(CascadeTest, FollowsWhatWasDecidedBefore) {
  engine::EscalationPlan plan = by_hardness(-1);
  std::ranges::fill(plan.rows, RowRule::kForbidden);
  plan.rows[2] = plan.rows[19] = RowRule::kForced;
  plan.rows[7] = RowRule::kByHardness;
  for (int replay = 0; replay < 2; ++replay) expect_reads(cascade(plan), {2, 7, 19});
}

TEST_F(CascadeTest, EndsWithItsLargeGuard) {
  cascade(by_hardness(0.5));
  large_.reset();
  try {
    cascade(by_hardness(0.5));
    FAIL() << "a large guard that is gone was run";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported) << error.what();
  }
  EXPECT_NO_THROW(small_->forward(batch_of(prompts_, false), {}));
}

class CascadeGraphTest : public DeviceTest {};

// The graph by itself: a backend that cannot have one goes on without a word.
TEST_F(CascadeGraphTest, HandsTheHardRowsOn) {
  const test::GoldenCheckpoint golden = test::golden_checkpoint("llama-untied-f32");
  const PairSource source = pair_of(golden);
  const std::shared_ptr<DeviceArena> arena = DeviceArena::reserve(demands_of(source), source.gpu_limit, 0);
  LoadedGuard small(source.small, arena, 0, {}), large(*source.large, arena, 1, {});
  const engine::Batch batch = batch_of(golden.prompts, false);
  const CascadeShape shape{.small = raised(shape_of(batch), small.limits()),
                           .large = raised(shape_of(batch), large.limits())};
  const Stream stream, body;
  large.upload(batch, shape.large, stream.get());
  large.launch(large.view(shape.large), shape.large.keys, HardRule(), {}, stream.get());
  large.download(stream.get());
  stream.wait();
  const std::vector<float> expected = large.read(batch.rows(), false).logits;

  const Graph graph = capture_cascade(small, large, shape, stream.get(), body.get());
  std::vector<int32_t> all(golden.prompts.size());
  std::iota(all.begin(), all.end(), 0);
  for (const std::vector<int32_t>& hard : {std::vector<int32_t>{}, {7}, {2, 7, 19}, all, {7}}) {
    SCOPED_TRACE(testing::Message() << hard.size() << " hard rows");
    std::vector<RowPlan> plan(golden.prompts.size(), RowPlan::kForbidden);
    for (const int32_t row : hard) plan[static_cast<size_t>(row)] = RowPlan::kForced;
    small.upload(batch, shape.small, stream.get());
    large.upload(batch, shape.large, stream.get());
    small.upload_rule(0.5f, plan, stream.get());
    graph.launch(stream.get());
    stream.wait();
    ASSERT_EQ(large.counts().rows, static_cast<int32_t>(hard.size()));
    EXPECT_EQ(large.counts().left_out, 0);
    EXPECT_TRUE(std::ranges::equal(large.taken(large.counts().rows), hard));
    const std::vector<float> logits = large.read(large.counts().rows, false).logits;
    const size_t tokens = source.large->verdict_ids.size();
    for (size_t i = 0; i < logits.size(); ++i) {
      const auto row = static_cast<size_t>(hard[i / tokens]);
      EXPECT_NEAR(logits[i], expected[row * tokens + i % tokens], 0.05) << "prompt " << row;
    }
  }
}

}  // namespace
}  // namespace saferoute::cuda
