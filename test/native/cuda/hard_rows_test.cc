// The host's decision about hard rows is the device's, and what it picks of a batch is a batch.
#include "cuda/hard_rows.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/batch_upload.h"
#include "engine/error.h"

namespace saferoute::cuda {
namespace {

using engine::RowRule;

// Rows of 2, 3, none and 1 token.
engine::Batch four_rows() {
  engine::Batch batch;
  batch.tokens = {10, 11, 20, 21, 22, 40};
  batch.row_offsets = {0, 2, 5, 5, 6};
  batch.row_starts = {0, 16, 0, 0};
  batch.pages = {1, 2, 3, 4};
  batch.page_offsets = {0, 1, 3, 3, 4};
  batch.copies = {{2, 9}};
  batch.want_features = true;
  return batch;
}

TEST(ThresholdBelow, DividesFloatsAsTheDoubleDoes) {
  for (const double threshold : {0.0, 0.1, 0.3, 0.5, 0.6, 0.7, 1.0, 1.0 / 3, -0.2}) {
    const float below = threshold_below(threshold);
    EXPECT_LE(static_cast<double>(below), threshold);
    const float above = std::nextafter(below, std::numeric_limits<float>::infinity());
    EXPECT_GT(static_cast<double>(above), threshold);
  }
}

TEST(PickHardRows, FollowsTheThresholdAndThePlan) {
  engine::Batch small = four_rows();
  const engine::EscalationPlan plan{
      .threshold = 0.5, .rows = {RowRule::kByHardness, RowRule::kForced, RowRule::kForbidden, RowRule::kByHardness}};
  const CascadeInputs inputs = cascade_inputs(small, small, plan);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(pick_hard_rows(std::vector<float>{0.6f, 0.1f, 0.9f, 0.4f}, inputs), (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(pick_hard_rows(std::vector<float>{0.5f, nan, 0.9f, 0.51f}, inputs), (std::vector<int32_t>{1, 3}));
  EXPECT_EQ(pick_hard_rows(std::vector<float>{nan, 0.1f, nan, nan}, inputs), (std::vector<int32_t>{1}));
}

TEST(CascadeInputs, RefusesPlansThatDoNotFit) {
  const engine::Batch batch = four_rows();
  engine::EscalationPlan plan{.threshold = 0.5, .rows = std::vector<RowRule>(3, RowRule::kForbidden)};
  EXPECT_THROW(cascade_inputs(batch, batch, plan), Error);
  plan.rows.assign(4, RowRule::kByHardness);
  EXPECT_THROW(cascade_inputs(batch, batch, plan), Error) << "row 2 has nothing for the large guard";
  plan.rows[2] = RowRule::kForbidden;
  EXPECT_NO_THROW(cascade_inputs(batch, batch, plan));
}

TEST(RowsOf, KeepsTokensPagesAndStartsTogether) {
  const engine::Batch picked = rows_of(four_rows(), std::vector<int32_t>{1, 3});
  EXPECT_EQ(picked.tokens, (std::vector<int32_t>{20, 21, 22, 40}));
  EXPECT_EQ(picked.row_offsets, (std::vector<int32_t>{0, 3, 4}));
  EXPECT_EQ(picked.row_starts, (std::vector<int32_t>{16, 0}));
  EXPECT_EQ(picked.pages, (std::vector<engine::PageId>{2, 3, 4}));
  EXPECT_EQ(picked.page_offsets, (std::vector<int32_t>{0, 2, 3}));
  EXPECT_EQ(picked.copies.size(), 1u);
  EXPECT_TRUE(picked.want_features);
  EXPECT_NO_THROW(check_batch(picked, {.tokens = 8, .rows = 4, .keys = 64}, 10));
}

TEST(MadeUpBatch, IsOnePromptWithinTheVocabulary) {
  const engine::Batch batch = made_up_batch(100, 50);
  EXPECT_NO_THROW(check_batch(batch, {.tokens = 100, .rows = 1, .keys = 100}, 7));
  for (const int32_t token : batch.tokens) EXPECT_LT(token, 50);
}

}  // namespace
}  // namespace saferoute::cuda
