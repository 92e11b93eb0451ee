#include "cuda/attention_plan.h"

#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "engine/error.h"

namespace saferoute::cuda {
namespace {

constexpr AttentionSizes kOneCheck = {
    .heads = 32, .kv_heads = 8, .head_dim = 64, .token_count = 60, .row_count = 1, .max_keys = 700};
constexpr int32_t kMultiprocessors = 132;

// 60 tokens of 4 queries are 240 of a kv head: 3 whole tiles, and one slot more for what is left.
TEST(AttentionPlan, SpreadsTheKeysOfAFewTiles) {
  const AttentionGrid grid = plan_attention(kOneCheck, kMultiprocessors);
  EXPECT_EQ(grid.slots, 4);
  EXPECT_EQ(grid.chunks, 3);
}

TEST(AttentionPlan, WalksWhereTilesOccupyTheDevice) {
  AttentionSizes sizes = kOneCheck;
  sizes.token_count = 480;
  sizes.row_count = 8;
  const AttentionGrid grid = plan_attention(sizes, kMultiprocessors);
  EXPECT_EQ(grid.slots, 480 * 4 / 64 + 8);
  EXPECT_EQ(grid.chunks, 1);
}

TEST(AttentionPlan, OneChunkIsNotSpread) {
  AttentionSizes sizes = kOneCheck;
  sizes.max_keys = 256;
  EXPECT_EQ(plan_attention(sizes, kMultiprocessors).chunks, 1);
  sizes.max_keys = 257;
  EXPECT_EQ(plan_attention(sizes, kMultiprocessors).chunks, 2);
}

TEST(AttentionPlan, LastTokensAreOneTokenToARow) {
  AttentionSizes sizes = kOneCheck;
  sizes.token_count = 100000;
  sizes.row_count = 20;
  sizes.which = AttentionQueries::kLastOfRow;
  EXPECT_EQ(plan_attention(sizes, kMultiprocessors).slots, 20 * 4 / 64 + 20);
}

// The scratch holds what the plan may spread, at every width of head.
TEST(AttentionPlan, WhatIsSpreadFitsTheScratch) {
  for (const int32_t head_dim : {8, 64, 72, 128, 136, 256}) {
    for (int32_t tokens = 1; tokens <= 200; tokens += 7) {
      for (int32_t keys = 1; keys <= 40000; keys += 333) {
        AttentionSizes sizes = kOneCheck;
        sizes.head_dim = head_dim;
        sizes.token_count = tokens;
        sizes.max_keys = keys;
        const AttentionGrid grid = plan_attention(sizes, std::numeric_limits<int32_t>::max());
        if (grid.chunks == 1) continue;
        const int64_t queries = int64_t{grid.slots} * grid.chunks * sizes.kv_heads * kAttentionQueries;
        const int64_t bytes = queries * (padded_head_dim(head_dim) + 2) * static_cast<int64_t>(sizeof(float));
        ASSERT_LE(bytes, attention_scratch_bytes(head_dim)) << tokens << " tokens, " << keys << " keys";
      }
    }
  }
}

TEST(AttentionPlan, PadsHeadsToWhatKernelsAreMadeFor) {
  EXPECT_EQ(padded_head_dim(8), 64);
  EXPECT_EQ(padded_head_dim(64), 64);
  EXPECT_EQ(padded_head_dim(72), 128);
  EXPECT_EQ(padded_head_dim(128), 128);
  EXPECT_EQ(padded_head_dim(136), 256);
}

std::string refusal(AttentionSizes sizes, ErrorCode code) {
  try {
    require_attendable(sizes);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    return error.what();
  }
  return "none";
}

TEST(AttentionPlan, RefusesHeadsThatItCannotComputeWith) {
  AttentionSizes sizes = kOneCheck;
  EXPECT_EQ(refusal(sizes, ErrorCode::kUnsupported), "none");
  for (const int32_t head_dim : {0, -8, 12, 264}) {
    sizes.head_dim = head_dim;
    EXPECT_EQ(refusal(sizes, ErrorCode::kUnsupported),
              "attention: head_dim " + std::to_string(head_dim) + " is no multiple of 8 from 8 to 256");
  }
  sizes = kOneCheck;
  for (const int32_t kv_heads : {0, -1, 5, 64}) {
    sizes.kv_heads = kv_heads;
    EXPECT_EQ(refusal(sizes, ErrorCode::kInvalidArgument),
              "attention: 32 heads are no multiple of " + std::to_string(kv_heads) + " kv heads");
  }
}

}  // namespace
}  // namespace saferoute::cuda
