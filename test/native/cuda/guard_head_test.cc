#include "cuda/guard_head.h"

#include "cpu/guard_head.h"
#include "cuda/bf16_values.h"
#include "cuda/device_test.h"
#include "cuda/random_router.h"

namespace saferoute::cuda {
namespace {

struct Outcome {
  std::vector<float> feature, logits, hardness;
  std::vector<uint8_t> hard;
};

// A head over rows of the given lengths; a length of 0 is padding. Tokens that are not the last of their row are NaN:
// nothing may read them.
class GuardHead : public DeviceTest {
 protected:
  void prepare(int32_t hidden_size, int32_t tokens, const std::vector<int32_t>& lengths) {
    hidden = hidden_size;
    verdict_tokens = tokens;
    offsets = {0};
    for (const int32_t length : lengths) offsets.push_back(offsets.back() + length);
    x = random_floats(static_cast<size_t>(offsets.back()) * hidden, 1);
    delta = rounded_to_bf16(random_floats(x.size(), 2));
    for (size_t r = 0; r < rows(); ++r) {
      for (int32_t i = offsets[r] * hidden; i < (offsets[r + 1] - 1) * hidden; ++i) x[i] = delta[i] = NAN;
    }
    norm = random_floats(hidden, 3);
    verdict_rows = rounded_to_bf16(random_floats(static_cast<size_t>(tokens) * hidden, 4, 0.1f));
    network = nullptr;
    plan.clear();
  }

  size_t rows() const { return offsets.size() - 1; }

  Outcome run(bool bf16_delta = true, float threshold = 0.5f) {
    RouterLayout layout;
    std::vector<std::byte> packed;
    if (network) {
      layout = plan_router(*network);
      packed.resize(static_cast<size_t>(layout.bytes));
      pack_router(*network, layout, packed);
    }
    const auto count = static_cast<int32_t>(rows());
    DeviceVector<float> on_x(x), on_delta(delta), on_norm(norm), on_threshold(std::vector<float>{threshold});
    DeviceVector<Bf16> on_delta_bf16(to_bf16(delta)), on_verdict_rows(to_bf16(verdict_rows));
    DeviceVector<int32_t> on_offsets(offsets);
    DeviceVector<RowPlan> on_plan(plan);
    DeviceVector<std::byte> on_router(packed);
    DeviceVector<float> feature(x.empty() ? 0 : count * hidden), logits(count * verdict_tokens), hardness(count);
    DeviceVector<uint8_t> hard(count);
    std::vector<std::byte> clear(static_cast<size_t>(guard_head_scratch_bytes(layout, hidden, count)), std::byte{0xFF});
    std::fill_n(clear.begin(), kGuardHeadSyncBytes, std::byte{0});
    DeviceVector<std::byte> scratch(clear);
    const GuardHeadWeights weights{.final_norm = on_norm.data(),
                                   .verdict_rows = on_verdict_rows.data(),
                                   .router = on_router.data(),
                                   .router_layout = &layout,
                                   .verdict_tokens = verdict_tokens,
                                   .hidden = hidden,
                                   .eps = 1e-5f};
    const HardRule rule{.threshold = on_threshold.data(), .plan = plan.empty() ? nullptr : on_plan.data()};
    const GuardHeadOutputs out{
        .feature = feature.data(), .logits = logits.data(), .hardness = hardness.data(), .hard = hard.data()};
    // Twice: a launch must find what the one before it left of the scratch good.
    for (int launch = 0; launch < 2; ++launch) {
      if (bf16_delta) {
        guard_head(on_x.data(), on_delta_bf16.data(), on_offsets.data(), weights, rule, out, scratch.data(), count,
                   stream_);
      } else {
        guard_head(on_x.data(), on_delta.data(), on_offsets.data(), weights, rule, out, scratch.data(), count, stream_);
      }
    }
    return {feature.read(), logits.read(), hardness.read(), hard.read()};
  }

  Outcome reference() const {
    Outcome outcome{std::vector<float>(rows() * hidden),
                    std::vector<float>(rows() * verdict_tokens),
                    std::vector<float>(rows()),
                    {}};
    const cpu::GuardHeadWeights weights{.final_norm = norm.data(),
                                        .verdict_rows = verdict_rows.data(),
                                        .network = network,
                                        .verdict_tokens = verdict_tokens,
                                        .hidden = hidden,
                                        .eps = 1e-5f};
    cpu::guard_head(x.data(), delta.data(), offsets.data(), weights, outcome.feature.data(), outcome.logits.data(),
                    outcome.hardness.data(), static_cast<int64_t>(rows()), cpu::serial());
    return outcome;
  }

  // Rounding a router's inputs to 8 bits in every layer moves its hardness, which varies around 0.5, by this much.
  static constexpr float kHardnessTolerance = 0.01f;

  void expect_reference(const Outcome& outcome) const {
    const Outcome expected = reference();
    expect_near(outcome.feature, expected.feature, 1e-5f);
    expect_near(outcome.logits, expected.logits, 1e-4f);
    expect_near(outcome.hardness, expected.hardness, kHardnessTolerance);
  }

  int32_t hidden = 0, verdict_tokens = 0;
  std::vector<int32_t> offsets;
  std::vector<float> x, delta, norm, verdict_rows;
  std::vector<RowPlan> plan;
  const router::Network* network = nullptr;
};

// Lengths of `rows` prompts.
std::vector<int32_t> lengths_of(int rows) {
  std::vector<int32_t> lengths;
  for (int r = 0; r < rows; ++r) lengths.push_back(1 + r % 3);
  return lengths;
}

TEST_F(GuardHead, MatchesTheCpuForBothNetworksAtEveryTileShape) {
  for (const int32_t size : {40, 328}) {
    for (const router::Network& router : {layer_norm_router(size), gelu_router(size)}) {
      for (const int count : {1, 16, 17, 33}) {
        SCOPED_TRACE(testing::Message() << count << " rows of " << size << ", " << router.layers.size() << " layers");
        prepare(size, count % 2 == 0 ? 8 : 2, lengths_of(count));
        network = &router;
        expect_reference(run());
      }
    }
  }
}

TEST_F(GuardHead, MatchesTheCpuInTheShapeOfTheRoutersThereAre) {
  for (const router::Network& router : {official_router(), card_router()}) {
    for (const int count : {1, 17}) {
      prepare(2048, 2, lengths_of(count));
      network = &router;
      expect_reference(run());
    }
  }
}

TEST_F(GuardHead, MoreRowsThanOneLaunchTakes) {
  prepare(64, 2, lengths_of(kMaxHeadRows + 3));
  const router::Network router = gelu_router(64);
  network = &router;
  expect_reference(run());
}

TEST_F(GuardHead, TakesItsDeltaInF32Too) {
  prepare(72, 3, {3, 1});
  const router::Network router = layer_norm_router(72);
  network = &router;
  const Outcome f32 = run(false), bf16 = run(true);
  EXPECT_TRUE(same_bits(f32.feature, bf16.feature));
  EXPECT_TRUE(same_bits(f32.hardness, bf16.hardness));
}

TEST_F(GuardHead, ARowIsTheSameInEveryBatch) {
  const router::Network networks[] = {layer_norm_router(96), gelu_router(96)};
  for (const router::Network& router : networks) {
    prepare(96, 2, lengths_of(34));
    network = &router;
    const Outcome together = run();
    const std::vector<float> all_x = x, all_delta = delta;
    const std::vector<int32_t> all_offsets = offsets;
    for (const size_t row : {size_t{0}, size_t{20}, size_t{33}}) {
      prepare(96, 2, {1});
      network = &router;
      const auto last = static_cast<size_t>(all_offsets[row + 1] - 1) * hidden;
      x.assign(all_x.begin() + last, all_x.begin() + last + hidden);
      delta.assign(all_delta.begin() + last, all_delta.begin() + last + hidden);
      const Outcome alone = run();
      EXPECT_TRUE(same_bits(alone.hardness, {together.hardness[row]})) << "row " << row;
      EXPECT_TRUE(same_bits(alone.logits, {together.logits[2 * row], together.logits[2 * row + 1]})) << "row " << row;
    }
  }
}

TEST_F(GuardHead, WithoutARouterHardnessIsNaNAndOnlyAPlanMakesARowHard) {
  prepare(64, 2, {2, 1, 3});
  plan = {RowPlan::kByRule, RowPlan::kForced, RowPlan::kForbidden};
  const Outcome outcome = run();
  expect_reference(outcome);
  for (const float hardness : outcome.hardness) EXPECT_TRUE(std::isnan(hardness));
  EXPECT_EQ(outcome.hard, (std::vector<uint8_t>{0, 1, 0}));
}

TEST_F(GuardHead, HardMeansAboveTheThresholdUnlessThePlanSaysOtherwise) {
  const router::Network router = gelu_router(64);
  prepare(64, 2, lengths_of(6));
  network = &router;
  const std::vector<float> hardness = run().hardness;
  // Row 0 at its own hardness is not above it.
  std::vector<uint8_t> above;
  for (const float value : hardness) above.push_back(value > hardness[0]);
  EXPECT_EQ(run(true, hardness[0]).hard, above);
  plan = {RowPlan::kForced,    RowPlan::kForced, RowPlan::kForbidden,
          RowPlan::kForbidden, RowPlan::kByRule, RowPlan::kByRule};
  EXPECT_EQ(run(true, hardness[0]).hard, (std::vector<uint8_t>{1, 1, 0, 0, above[4], above[5]}));
}

TEST_F(GuardHead, PaddingIsNaNAndNeverHard) {
  const router::Network router = layer_norm_router(64);
  prepare(64, 2, {2, 0, 1, 0});
  network = &router;
  plan.assign(4, RowPlan::kForced);
  const Outcome outcome = run();
  for (const size_t row : {size_t{1}, size_t{3}}) {
    EXPECT_TRUE(std::isnan(outcome.hardness[row]) && std::isnan(outcome.logits[2 * row]) &&
                std::isnan(outcome.feature[row * hidden]));
  }
  EXPECT_EQ(outcome.hard, (std::vector<uint8_t>{1, 0, 1, 0}));
  EXPECT_FALSE(std::isnan(outcome.hardness[2]));
}

TEST_F(GuardHead, WhatIsNotFiniteSpreadsToItsRowAlone) {
  const router::Network router = layer_norm_router(64);
  prepare(64, 2, {1, 1, 1});
  network = &router;
  x[64 + 7] = INFINITY;
  const Outcome outcome = run();
  EXPECT_TRUE(std::isnan(outcome.hardness[1]) && std::isnan(outcome.logits[2]));
  EXPECT_EQ(outcome.hard[1], 0);
  for (const size_t row : {size_t{0}, size_t{2}}) {
    EXPECT_TRUE(std::isfinite(outcome.hardness[row]) && std::isfinite(outcome.logits[2 * row]));
  }
}

}  // namespace
}  // namespace saferoute::cuda
