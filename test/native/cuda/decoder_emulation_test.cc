// A whole decoder, its kernels run from their own sources on the CPU, against what transformers says of the fixtures:
// from the checkpoint's files through packing, upload and every layer to the readings, padding included. And a
// cascade's steps, as its graph has them.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/compaction.h"
#include "cuda/emulation/host_guard.h"
#include "cuda/golden_checkpoint.h"
#include "ort/batches.h"

namespace saferoute::cuda {
namespace {

using test::batch_of;
using test::GoldenCheckpoint;

// The golden prompts of up to `most` tokens, and which they are.
struct ShortPrompts {
  std::vector<std::vector<int32_t>> prompts;
  std::vector<size_t> golden;
};

ShortPrompts short_prompts(const GoldenCheckpoint& golden, size_t most, size_t count) {
  ShortPrompts picked;
  for (size_t i = 0; i < golden.prompts.size() && picked.prompts.size() < count; ++i) {
    if (golden.prompts[i].size() > most) continue;
    picked.prompts.push_back(golden.prompts[i]);
    picked.golden.push_back(i);
  }
  return picked;
}

double cosine(const float* a, const float* b, size_t size) {
  const double product = std::inner_product(a, a + size, b, 0.0);
  return product / std::sqrt(std::inner_product(a, a + size, a, 0.0) * std::inner_product(b, b + size, b, 0.0));
}

constexpr PassLimits kLimits{.tokens = 192, .rows = 8, .keys = 512};

class DecoderEmulation : public testing::TestWithParam<std::tuple<const char*, Precision>> {
 protected:
  const GoldenCheckpoint golden_ = test::golden_checkpoint(std::get<0>(GetParam()));
  const bool fp8_ = std::get<1>(GetParam()) == Precision::kFp8;
  HostGuard guard_{golden_, std::get<1>(GetParam()), kLimits};

  void expect_golden(const ShortPrompts& picked) {
    const auto hidden = static_cast<size_t>(golden_.source.spec.hidden_size);
    const size_t rows = picked.prompts.size();
    const std::vector<float> features = guard_.read<float>(guard_.buffers().features, rows * hidden);
    const std::vector<float> hardness = guard_.read<float>(guard_.buffers().hardness, rows);
    const size_t tokens = golden_.source.verdict_ids.size();
    const std::vector<float> logits = guard_.read<float>(guard_.buffers().logits, rows * tokens);
    for (size_t row = 0; row < rows; ++row) {
      const size_t golden = picked.golden[row];
      EXPECT_GE(cosine(&features[row * hidden], &golden_.features[golden * hidden], hidden), fp8_ ? 0.97 : 0.999);
      EXPECT_NEAR(hardness[row], golden_.hardness[golden], fp8_ ? 0.15 : 0.03);
      for (size_t token = 0; token < tokens; ++token) {
        EXPECT_NEAR(logits[row * tokens + token], golden_.logits[golden * tokens + token], fp8_ ? 1.0 : 0.1);
      }
    }
  }
};

TEST_P(DecoderEmulation, SaysWhatTransformersSays) {
  const ShortPrompts picked = short_prompts(golden_, 40, 4);
  ASSERT_EQ(picked.prompts.size(), 4u);
  const engine::Batch batch = batch_of(picked.prompts);
  const PassShape shape = shape_of(batch);
  guard_.launch(guard_.upload(batch, shape), shape.keys);
  expect_golden(picked);
}

// Tokens and rows that a graph has beyond the batch change nothing, and write no page.
TEST_P(DecoderEmulation, SaysTheSameWithPadding) {
  const ShortPrompts picked = short_prompts(golden_, 40, 3);
  const engine::Batch batch = batch_of(picked.prompts);
  const PassShape shape = raised(shape_of(batch), guard_.limits());
  ASSERT_GT(shape.tokens, batch.row_offsets.back());
  ASSERT_GT(shape.rows, batch.rows());
  guard_.launch(guard_.upload(batch, shape), shape.keys);
  expect_golden(picked);
}

TEST_P(DecoderEmulation, GoesOnWhereAPassEnded) {
  const ShortPrompts picked = short_prompts(golden_, 40, 3);
  ShortPrompts longest;
  for (size_t i = 0; i < picked.prompts.size(); ++i) {
    if (!longest.prompts.empty() && longest.prompts[0].size() >= picked.prompts[i].size()) continue;
    longest = {.prompts = {picked.prompts[i]}, .golden = {picked.golden[i]}};
  }
  const std::vector<int32_t>& prompt = longest.prompts[0];
  const std::vector<engine::PageId> pages = test::pages_from(5, (prompt.size() + 15) / 16);
  const size_t cut = prompt.size() / 2;
  for (const auto& [begin, end] : {std::pair(size_t{0}, cut), std::pair(cut, prompt.size())}) {
    const engine::Batch batch = test::part_of(prompt, begin, end, pages);
    const PassShape shape = raised(shape_of(batch), guard_.limits());
    guard_.launch(guard_.upload(batch, shape), shape.keys);
  }
  expect_golden(longest);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, DecoderEmulation,
                         testing::Values(std::tuple("llama-tied-f16", Precision::kBf16),
                                         std::tuple("llama-untied-f32", Precision::kBf16),
                                         std::tuple("qwen3-tied-bf16", Precision::kBf16),
                                         std::tuple("qwen3-untied-bf16-sharded", Precision::kFp8)));

// The launches of cascade_graph.cu in their order; the branch is chosen here.
TEST(CascadeEmulation, ReadsTheHardRowsWithTheLargeGuard) {
  const GoldenCheckpoint small_golden = test::golden_checkpoint("llama-untied-f32");
  const GoldenCheckpoint large_golden = test::golden_checkpoint("llama-tied-f16");
  HostGuard small(small_golden, Precision::kBf16, kLimits), large(large_golden, Precision::kBf16, kLimits);
  const ShortPrompts picked = short_prompts(small_golden, 40, 4);
  const engine::Batch batch = batch_of(picked.prompts);
  const PassShape shape = raised(shape_of(batch), small.limits());
  const size_t rows = static_cast<size_t>(shape.rows);

  const float threshold = -1;  // every row is above it
  auto* const plan = small.decoder().at<RowPlan>(small.buffers().row_plan);
  std::fill_n(plan, rows, RowPlan::kForbidden);
  plan[0] = plan[3] = RowPlan::kByRule;
  plan[1] = RowPlan::kForced;
  small.launch(small.upload(batch, shape), shape.keys, {.threshold = &threshold, .plan = plan});

  const BatchView all =
      large.upload(batch_of({large_golden.prompts[picked.golden[0]], large_golden.prompts[picked.golden[1]],
                             large_golden.prompts[picked.golden[2]], large_golden.prompts[picked.golden[3]]}),
                   shape);
  const std::vector<PassShape> branches = cascade_branches(shape, large.limits());
  auto* const counts = large.decoder().at<CompactionCounts>(large.buffers().counts);
  auto* const taken = large.decoder().at<int32_t>(large.buffers().taken);
  BatchView hard = large.compacted(branches.back());
  compact_hard_rows(small.decoder().at<uint8_t>(small.buffers().hard), all, hard, taken, counts, nullptr);
  EXPECT_EQ(counts->rows, 3);
  EXPECT_EQ(counts->left_out, 0);
  EXPECT_EQ(taken[0], 0);
  EXPECT_EQ(taken[1], 1);
  EXPECT_EQ(taken[2], 3);
  EXPECT_EQ(taken[3], kNoRow);
  const auto branch = std::ranges::find_if(
      branches, [&](const PassShape& each) { return counts->tokens <= each.tokens && counts->rows <= each.rows; });
  ASSERT_NE(branch, branches.end());
  hard.token_count = branch->tokens;
  hard.row_count = branch->rows;
  large.launch(hard, branch->keys);

  const auto hidden = static_cast<size_t>(large_golden.source.spec.hidden_size);
  const std::vector<float> features = large.read<float>(large.buffers().features, 3 * hidden);
  for (size_t i = 0; i < 3; ++i) {
    const size_t golden = picked.golden[static_cast<size_t>(taken[i])];
    EXPECT_GE(cosine(&features[i * hidden], &large_golden.features[golden * hidden], hidden), 0.999);
  }
}

}  // namespace
}  // namespace saferoute::cuda
