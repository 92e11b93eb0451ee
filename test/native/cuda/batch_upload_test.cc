// A packed batch holds what the engine's holds, padding included, and a wrong one is refused.
#include "cuda/batch_upload.h"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/error.h"

namespace saferoute::cuda {
namespace {

constexpr PassLimits kLimits{.tokens = 64, .rows = 8, .keys = 96};
constexpr int32_t kKvPages = 40;

// A row of 3 tokens behind 20, and one of 18 of its own.
engine::Batch two_rows() {
  engine::Batch batch;
  for (int32_t token = 0; token < 21; ++token) batch.tokens.push_back(100 + token);
  batch.row_offsets = {0, 3, 21};
  batch.row_starts = {20, 0};
  batch.pages = {7, 8, 3, 9};
  batch.page_offsets = {0, 2, 4};
  return batch;
}

std::vector<int32_t> array(const int32_t* begin, int64_t size) { return {begin, begin + size}; }

TEST(BatchBlock, HoldsTheBatch) {
  const engine::Batch batch = two_rows();
  const BatchBlock block(shape_of(batch), kLimits.pages());
  std::vector<int32_t> memory(static_cast<size_t>(BatchBlock::most_elements(kLimits)), -7);
  const int64_t used = block.pack(batch, memory);
  const BatchView view = block.view(memory.data());
  EXPECT_EQ(view.token_count, 21);
  EXPECT_EQ(view.row_count, 2);
  EXPECT_EQ(array(view.tokens, 21), batch.tokens);
  EXPECT_EQ(array(view.row_offsets, 3), batch.row_offsets);
  EXPECT_EQ(array(view.row_starts, 2), batch.row_starts);
  EXPECT_EQ(array(view.pages, 4), batch.pages);
  EXPECT_EQ(array(view.page_offsets, 3), batch.page_offsets);
  EXPECT_EQ(array(view.token_row, 5), (std::vector<int32_t>{0, 0, 0, 1, 1}));
  EXPECT_EQ(array(view.positions, 5), (std::vector<int32_t>{20, 21, 22, 0, 1}));
  EXPECT_EQ(view.positions[20], 17);
  EXPECT_EQ(view.pages + 4, memory.data() + used);
}

TEST(BatchBlock, FillsAShapeUpWithPadding) {
  const engine::Batch batch = two_rows();
  const BatchBlock block({.tokens = 24, .rows = 4, .keys = 32}, kLimits.pages());
  std::vector<int32_t> memory(static_cast<size_t>(BatchBlock::most_elements(kLimits)), -7);
  block.pack(batch, memory);
  const BatchView view = block.view(memory.data());
  EXPECT_EQ(array(view.tokens + 21, 3), (std::vector<int32_t>{0, 0, 0}));
  EXPECT_EQ(array(view.token_row + 21, 3), (std::vector<int32_t>{kNoRow, kNoRow, kNoRow}));
  EXPECT_EQ(array(view.positions + 21, 3), (std::vector<int32_t>{0, 0, 0}));
  EXPECT_EQ(array(view.row_offsets, 5), (std::vector<int32_t>{0, 3, 21, 21, 21}));
  EXPECT_EQ(array(view.row_starts, 4), (std::vector<int32_t>{20, 0, 0, 0}));
  EXPECT_EQ(array(view.page_offsets, 5), (std::vector<int32_t>{0, 2, 4, 4, 4}));
}

TEST(BatchBlock, ArraysBeginAtSixteenBytesAndDoNotMeet) {
  for (int32_t tokens = 1; tokens <= kLimits.tokens; tokens += 9) {
    for (int32_t rows = 1; rows <= kLimits.rows; ++rows) {
      const BatchBlock block({.tokens = tokens, .rows = rows, .keys = 96}, kLimits.pages());
      const BatchView view = block.view(nullptr);
      const auto at = [](const int32_t* array) { return reinterpret_cast<uintptr_t>(array); };
      const std::vector<std::pair<uintptr_t, int64_t>> arrays = {
          {at(view.row_offsets), rows + 1}, {at(view.row_starts), rows},  {at(view.page_offsets), rows + 1},
          {at(view.tokens), tokens},        {at(view.token_row), tokens}, {at(view.positions), tokens},
          {at(view.pages), kLimits.pages()}};
      for (size_t i = 0; i < arrays.size(); ++i) {
        EXPECT_EQ(arrays[i].first % 16, 0u);
        const uintptr_t free_from = i == 0 ? 0 : arrays[i - 1].first + 4 * static_cast<uintptr_t>(arrays[i - 1].second);
        EXPECT_GE(arrays[i].first, free_from);
      }
      EXPECT_LE(arrays.back().first / 4 + static_cast<uintptr_t>(kLimits.pages()),
                static_cast<uintptr_t>(BatchBlock::most_elements(kLimits)));
    }
  }
}

TEST(CheckBatch, TakesRowsWithoutTokens) {
  engine::Batch batch = two_rows();
  batch.row_offsets = {0, 3, 3, 21};
  batch.row_starts = {20, 0, 0};
  batch.page_offsets = {0, 2, 2, 4};
  EXPECT_NO_THROW(check_batch(batch, kLimits, kKvPages));
}

TEST(CheckBatch, RefusesWhatContradictsItself) {
  struct Case {
    const char* name;
    std::function<void(engine::Batch&)> spoil;
    ErrorCode code;
  };
  const std::vector<Case> cases = {
      {"no tokens", [](engine::Batch& batch) { batch.tokens.clear(); }, ErrorCode::kInvalidArgument},
      {"offsets that fall", [](engine::Batch& batch) { batch.row_offsets = {0, 22, 21}; }, ErrorCode::kInvalidArgument},
      {"a start too few", [](engine::Batch& batch) { batch.row_starts = {20}; }, ErrorCode::kInvalidArgument},
      {"a start below 0", [](engine::Batch& batch) { batch.row_starts[1] = -1; }, ErrorCode::kInvalidArgument},
      {"a page too few", [](engine::Batch& batch) { batch.page_offsets = {0, 1, 4}; }, ErrorCode::kInvalidArgument},
      {"a page below 0", [](engine::Batch& batch) { batch.pages[2] = -1; }, ErrorCode::kInvalidArgument},
      {"a page that was not reserved", [](engine::Batch& batch) { batch.pages[2] = kKvPages; }, ErrorCode::kMemory},
      {"a copy from such a page", [](engine::Batch& batch) { batch.copies = {{kKvPages, 7}}; }, ErrorCode::kMemory},
      {"a prompt over the context", [](engine::Batch& batch) { batch.row_starts[0] = 94; },
       ErrorCode::kInvalidArgument},
  };
  for (const Case& each : cases) {
    engine::Batch batch = two_rows();
    each.spoil(batch);
    try {
      check_batch(batch, kLimits, kKvPages);
      ADD_FAILURE() << each.name << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), each.code) << each.name << ": " << error.what();
    }
  }
}

TEST(CheckBatch, RefusesMoreThanTheGuardWasLoadedFor) {
  const engine::Batch batch = two_rows();
  EXPECT_THROW(check_batch(batch, {.tokens = 20, .rows = 8, .keys = 96}, kKvPages), Error);
  EXPECT_THROW(check_batch(batch, {.tokens = 64, .rows = 1, .keys = 96}, kKvPages), Error);
  EXPECT_NO_THROW(check_batch(batch, {.tokens = 21, .rows = 2, .keys = 23}, kKvPages));
}

}  // namespace
}  // namespace saferoute::cuda
