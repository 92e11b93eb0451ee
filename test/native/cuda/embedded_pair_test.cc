// The embedded pair on the device against the CPU's engine in f32, over labelled messages: how many verdicts turn over.
// Skips where nobody has written down what the CPU reads.
#include "cuda/embedded_pair.h"

#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cuda/backend.h"
#include "cuda/device_test.h"
#include "cuda/verdict_flips.h"
#include "engine/device_cascade.h"
#include "ort/batches.h"

namespace saferoute::cuda {
namespace {

using test::batch_of;
using test::ExpectedPair;
using test::Flips;
using test::flips_of;

constexpr double kMostFlips = 0.005;
constexpr size_t kBatchTokens = 8192, kBatchRows = 64;

const std::filesystem::path kExpected = SAFEROUTE_EXPECTED_READINGS;

// Rows [begin, end) of which both guards' prompts fit a batch.
size_t end_of_batch(const ExpectedPair& expected, size_t begin) {
  size_t small = 0, large = 0, end = begin;
  for (; end < expected.small.prompts.size() && end - begin < kBatchRows; ++end) {
    small += expected.small.prompts[end].size();
    large += expected.large.prompts[end].size();
    if (end > begin && (small > kBatchTokens || large > kBatchTokens)) break;
  }
  return end;
}

std::vector<std::vector<int32_t>> slice(const std::vector<std::vector<int32_t>>& prompts, size_t begin, size_t end) {
  return {prompts.begin() + static_cast<int64_t>(begin), prompts.begin() + static_cast<int64_t>(end)};
}

// P(unsafe) of each row.
void append_scores(const std::vector<float>& logits, std::vector<float>& scores) {
  for (size_t row = 0; row < logits.size() / 2; ++row) {
    scores.push_back(1.0f / (1.0f + std::exp(logits[2 * row] - logits[2 * row + 1])));
  }
}

class EmbeddedPair : public DeviceTest, public testing::WithParamInterface<Precision> {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    if (!std::filesystem::exists(kExpected)) {
      GTEST_SKIP() << kExpected << " is not there: bench/gpu/pack.sh writes it";
    }
    if (GetParam() == Precision::kFp8 && compute_capability() < 89) GTEST_SKIP() << "FP8 needs compute capability 8.9";
    expected_ = test::read_expected(kExpected);
    PairSource source = test::embedded_pair(SAFEROUTE_EMBEDDED_PAIR, expected_);
    source.small.precision = source.large->precision = GetParam();
    source.batch_tokens = kBatchTokens;
    source.batch_rows = kBatchRows;
    source.gpu_limit.bytes = 4ull << 30;
    Pair pair(source);
    small_ = pair.make_guard(GuardRole::kSmall, {});
    large_ = pair.make_guard(GuardRole::kLarge, {});
  }

  std::vector<float> scores_of(engine::Backend& guard, const std::vector<std::vector<int32_t>>& prompts) {
    std::vector<float> scores;
    for (size_t begin = 0; begin < prompts.size();) {
      const size_t end = end_of_batch(expected_, begin);
      append_scores(guard.forward(batch_of(slice(prompts, begin, end), false), {}).logits, scores);
      begin = end;
    }
    return scores;
  }

  void expect_few(const char* who, const std::vector<float>& wanted, const std::vector<float>& got) {
    ASSERT_EQ(got.size(), wanted.size());
    const Flips flips = flips_of(wanted, got);
    std::cout << who << (GetParam() == Precision::kFp8 ? ", FP8: " : ", bf16: ") << flips << std::endl;
    EXPECT_LE(flips.clear_share(), kMostFlips) << flips;
  }

  // The score that decides: the large guard's of what is harder than the threshold.
  std::vector<float> routed() const {
    std::vector<float> scores;
    for (size_t row = 0; row < expected_.hardness_f32.size(); ++row) {
      const bool hard = expected_.hardness_f32[row] > expected_.threshold;
      scores.push_back((hard ? expected_.large : expected_.small).f32[row]);
    }
    return scores;
  }

  ExpectedPair expected_;
  std::unique_ptr<engine::Backend> small_;
  std::unique_ptr<engine::Backend> large_;
};

TEST_P(EmbeddedPair, EachGuardTurnsFewVerdictsOver) {
  expect_few("small guard", expected_.small.f32, scores_of(*small_, expected_.small.prompts));
  expect_few("large guard", expected_.large.f32, scores_of(*large_, expected_.large.prompts));
}

// As the device decides by itself whose verdict counts. Every shape comes several times, so that graphs are replayed.
TEST_P(EmbeddedPair, ACascadeTurnsFewVerdictsOver) {
  ASSERT_TRUE(small_->info().cascades);
  std::vector<float> scores;
  for (size_t begin = 0; begin < expected_.small.prompts.size();) {
    const size_t end = end_of_batch(expected_, begin);
    const engine::EscalationPlan plan{.threshold = expected_.threshold,
                                      .rows = std::vector<engine::RowRule>(end - begin, engine::RowRule::kByHardness)};
    const engine::CascadeReading reading =
        small_->cascade(batch_of(slice(expected_.small.prompts, begin, end), false),
                        batch_of(slice(expected_.large.prompts, begin, end), false), plan, {});
    append_scores(reading.small.logits, scores);
    std::vector<float> large;
    append_scores(reading.large.logits, large);
    for (size_t i = 0; i < reading.hard_rows.size(); ++i) {
      scores[begin + static_cast<size_t>(reading.hard_rows[i])] = large[i];
    }
    begin = end;
  }
  expect_few("routed", routed(), scores);
}

INSTANTIATE_TEST_SUITE_P(Precisions, EmbeddedPair, testing::Values(Precision::kBf16, Precision::kFp8),
                         [](const auto& info) { return info.param == Precision::kFp8 ? "Fp8" : "Bf16"; });

}  // namespace
}  // namespace saferoute::cuda
