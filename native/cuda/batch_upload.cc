#include "cuda/batch_upload.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "engine/error.h"

namespace saferoute::cuda {
namespace {

constexpr int64_t kAlign = 4;  // elements of 4 bytes: arrays begin at 16

int64_t take(int64_t& end, int64_t elements) {
  const int64_t begin = end;
  end += (elements + kAlign - 1) / kAlign * kAlign;
  return begin;
}

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::kInvalidArgument, "a batch's " + why); }

void check_offsets(const std::vector<int32_t>& offsets, size_t rows, size_t end, const char* name) {
  if (offsets.size() != rows + 1 || offsets.front() != 0 || std::cmp_not_equal(offsets.back(), end) ||
      !std::ranges::is_sorted(offsets)) {
    refuse(std::string(name) + " offsets must rise from 0 to " + std::to_string(end) + ", once for each of its " +
           std::to_string(rows) + " rows");
  }
}

void check_limit(const char* name, int64_t value, int64_t limit) {
  if (value <= limit) return;
  refuse(std::to_string(value) + " " + name + " are more than the " + std::to_string(limit) +
         " that its guard was loaded for");
}

void check_page(engine::PageId id, int32_t kv_pages) {
  if (id < 0) refuse("page " + std::to_string(id) + " does not exist");
  if (id < kv_pages) return;
  throw Error(ErrorCode::kMemory, "a prompt needs page " + std::to_string(id) + " for its keys and values, but " +
                                      std::to_string(kv_pages) + " of " + std::to_string(engine::kPageTokens) +
                                      " tokens each were reserved on the device: raise memory.kv");
}

// That each row has the pages its tokens fill.
void check_rows(const engine::Batch& batch, int32_t most_keys) {
  for (size_t row = 0; row < batch.row_starts.size(); ++row) {
    const int64_t start = batch.row_starts[row];
    const int64_t added = batch.row_offsets[row + 1] - batch.row_offsets[row];
    if (start < 0) refuse("row " + std::to_string(row) + " starts at " + std::to_string(start));
    const int64_t keys = added == 0 ? 0 : start + added;
    check_limit("tokens of a prompt", keys, most_keys);
    const int64_t needed = (keys + engine::kPageTokens - 1) / engine::kPageTokens;
    const int64_t given = batch.page_offsets[row + 1] - batch.page_offsets[row];
    if (given != needed) {
      refuse("row " + std::to_string(row) + " has " + std::to_string(given) + " pages, but its " +
             std::to_string(keys) + " tokens fill " + std::to_string(needed));
    }
  }
}

}  // namespace

void check_batch(const engine::Batch& batch, const PassLimits& limits, int32_t kv_pages) {
  if (batch.row_offsets.size() < 2 || batch.tokens.empty()) refuse("rows or tokens are missing");
  const size_t rows = batch.row_offsets.size() - 1;
  check_offsets(batch.row_offsets, rows, batch.tokens.size(), "row");
  check_limit("tokens", static_cast<int64_t>(batch.tokens.size()), limits.tokens);
  check_limit("rows", static_cast<int64_t>(rows), limits.rows);
  if (batch.row_starts.size() != rows) {
    refuse(std::to_string(batch.row_starts.size()) + " row starts must be as many as its " + std::to_string(rows) +
           " rows");
  }
  check_offsets(batch.page_offsets, rows, batch.pages.size(), "page");
  check_rows(batch, limits.keys);
  for (const engine::PageId id : batch.pages) check_page(id, kv_pages);
  for (const engine::PageCopy& copy : batch.copies) {
    check_page(copy.from, kv_pages);
    check_page(copy.to, kv_pages);
  }
}

BatchBlock::BatchBlock(const PassShape& shape, int64_t page_capacity) : shape_(shape), page_capacity_(page_capacity) {
  int64_t end = 0;
  row_offsets_ = take(end, shape.rows + 1);
  row_starts_ = take(end, shape.rows);
  page_offsets_ = take(end, shape.rows + 1);
  tokens_ = take(end, shape.tokens);
  token_row_ = take(end, shape.tokens);
  positions_ = take(end, shape.tokens);
  pages_ = end;
}

int64_t BatchBlock::most_elements(const PassLimits& limits) {
  const BatchBlock block({.tokens = limits.tokens, .rows = limits.rows, .keys = limits.keys}, limits.pages());
  return block.pages_ + block.page_capacity_;
}

int64_t BatchBlock::pack(const engine::Batch& batch, std::span<int32_t> block) const {
  int32_t* const row_offsets = block.data() + row_offsets_;
  int32_t* const row_starts = block.data() + row_starts_;
  int32_t* const page_offsets = block.data() + page_offsets_;
  int32_t* const token_row = block.data() + token_row_;
  int32_t* const positions = block.data() + positions_;
  row_offsets[0] = page_offsets[0] = 0;
  for (int32_t row = 0; row < shape_.rows; ++row) {
    const auto source = static_cast<size_t>(std::min(row, batch.rows()));
    const bool is_padding = row >= batch.rows();
    const int32_t begin = batch.row_offsets[source];
    const int32_t end = is_padding ? begin : batch.row_offsets[source + 1];
    row_offsets[row + 1] = end;
    row_starts[row] = is_padding ? 0 : batch.row_starts[source];
    page_offsets[row + 1] = is_padding ? page_offsets[row] : batch.page_offsets[source + 1];
    for (int32_t token = begin; token < end; ++token) {
      token_row[token] = row;
      positions[token] = row_starts[row] + token - begin;
    }
  }
  const auto tokens = static_cast<int64_t>(batch.tokens.size());
  std::ranges::copy(batch.tokens, block.data() + tokens_);
  std::fill(block.data() + tokens_ + tokens, block.data() + tokens_ + shape_.tokens, 0);
  std::fill(token_row + tokens, token_row + shape_.tokens, kNoRow);
  std::fill(positions + tokens, positions + shape_.tokens, 0);
  std::ranges::copy(batch.pages, block.data() + pages_);
  return pages_ + static_cast<int64_t>(batch.pages.size());
}

BatchView BatchBlock::view(int32_t* block) const {
  return {.tokens = block + tokens_,
          .token_row = block + token_row_,
          .positions = block + positions_,
          .row_offsets = block + row_offsets_,
          .row_starts = block + row_starts_,
          .pages = block + pages_,
          .page_offsets = block + page_offsets_,
          .token_count = shape_.tokens,
          .row_count = shape_.rows,
          .page_count = static_cast<int32_t>(std::min<int64_t>(page_capacity_, std::numeric_limits<int32_t>::max()))};
}

}  // namespace saferoute::cuda
