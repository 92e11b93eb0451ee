#include "ort/batch_inputs.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "cpu/rope.h"
#include "engine/error.h"
#include "model/rope_frequencies.h"

namespace saferoute::ort {
namespace {

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::kInvalidArgument, why); }

// Whether `offsets` rise from 0 to `end`, `rows` times.
bool rises(const std::vector<int32_t>& offsets, size_t rows, size_t end) {
  return offsets.size() == rows + 1 && offsets.front() == 0 && std::cmp_equal(offsets.back(), end) &&
         std::ranges::adjacent_find(offsets, std::ranges::greater_equal()) == offsets.end();
}

void check_pages(const engine::Batch& batch) {
  const auto rows = static_cast<size_t>(batch.rows());
  if (batch.row_starts.size() != rows ||
      std::ranges::any_of(batch.row_starts, [](int32_t start) { return start < 0; })) {
    refuse("the row starts of a batch of " + std::to_string(rows) + " rows must be as many and not negative");
  }
  if (!rises(batch.page_offsets, rows, batch.pages.size())) {
    refuse("the page offsets of a batch of " + std::to_string(batch.pages.size()) +
           " pages must rise from 0 to that number, once for each of its " + std::to_string(rows) + " rows");
  }
  for (size_t row = 0; row < rows; ++row) {
    const int64_t tokens =
        static_cast<int64_t>(batch.row_starts[row]) + batch.row_offsets[row + 1] - batch.row_offsets[row];
    const int64_t needed = (tokens + engine::kPageTokens - 1) / engine::kPageTokens;
    const int32_t given = batch.page_offsets[row + 1] - batch.page_offsets[row];
    if (given != needed) {
      refuse("row " + std::to_string(row) + " of a batch has " + std::to_string(given) + " pages, but its " +
             std::to_string(tokens) + " tokens fill " + std::to_string(needed));
    }
  }
  const auto check_id = [](engine::PageId id) {
    if (id < 0) refuse("page " + std::to_string(id) + " of a batch does not exist");
  };
  std::ranges::for_each(batch.pages, check_id);
  for (const engine::PageCopy& copy : batch.copies) {
    check_id(copy.from);
    check_id(copy.to);
  }
}

}  // namespace

void check_batch(const engine::Batch& batch, int32_t most_tokens) {
  const size_t tokens = batch.tokens.size();
  if (tokens == 0 || batch.row_offsets.empty() || !rises(batch.row_offsets, batch.row_offsets.size() - 1, tokens)) {
    refuse("the row offsets of a batch of " + std::to_string(tokens) + " tokens must rise from 0 to that number");
  }
  if (std::cmp_greater(tokens, most_tokens)) {
    refuse("a batch of " + std::to_string(tokens) + " tokens is larger than the " + std::to_string(most_tokens) +
           " that this guard was loaded for");
  }
  check_pages(batch);
}

BatchInputs::BatchInputs(const model::ModelSpec& spec, int32_t most_tokens)
    : hidden(static_cast<size_t>(most_tokens) * static_cast<size_t>(spec.hidden_size)),
      cos_sin(static_cast<size_t>(most_tokens) * static_cast<size_t>(spec.head_dim)),
      head_dim_(spec.head_dim),
      inverse_frequencies_(model::inverse_frequencies(spec)),
      positions_(static_cast<size_t>(most_tokens)) {}

void BatchInputs::fill(const engine::Batch& batch) {
  const auto rows = static_cast<size_t>(batch.rows());
  last_tokens.resize(rows);
  for (size_t row = 0; row < rows; ++row) {
    const int32_t begin = batch.row_offsets[row];
    const int32_t end = batch.row_offsets[row + 1];
    std::iota(positions_.begin() + begin, positions_.begin() + end, batch.row_starts[row]);
    last_tokens[row] = end - 1;
  }
  head_offsets.resize(rows + 1);
  std::iota(head_offsets.begin(), head_offsets.end(), 0);
  cpu::rope_table(positions_.data(), inverse_frequencies_.data(), cos_sin.data(), batch.row_offsets.back(), head_dim_,
                  cpu::serial());
}

}  // namespace saferoute::ort
