// A ragged batch in device memory, as every op reads it. The fields are engine::Batch's, and what each token would
// otherwise have to search for.
#pragma once

#include <cstdint>

namespace saferoute::cuda {

// Non-owning. A graph runs at a fixed number of tokens and rows; what a batch leaves of it is padding: tokens of row
// kNoRow with id 0 at position 0, for which no op writes keys or values, and rows of no tokens, for which readings are
// NaN.
struct BatchView {
  int32_t* tokens = nullptr;        // (token_count): ids
  int32_t* token_row = nullptr;     // (token_count): the row that a token belongs to
  int32_t* positions = nullptr;     // (token_count): in the prompt
  int32_t* row_offsets = nullptr;   // (row_count + 1): row r is tokens[row_offsets[r] .. row_offsets[r + 1])
  int32_t* row_starts = nullptr;    // (row_count): tokens of the prompt before these, whose keys and values stand
  int32_t* pages = nullptr;         // (page_count): ids
  int32_t* page_offsets = nullptr;  // (row_count + 1): row r has pages[page_offsets[r] .. page_offsets[r + 1])
  int32_t token_count = 0;
  int32_t row_count = 0;
  int32_t page_count = 0;
};

inline constexpr int32_t kNoRow = -1;

}  // namespace saferoute::cuda
