// Between the two guards of a cascade: which rows are hard, as a batch for the large guard, without the host in
// between.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "cuda/batch_view.h"

namespace saferoute::cuda {

// Rows of a batch that one block can number.
inline constexpr int kMaxCompactedRows = 1024;

// What compaction did, for the host to read once all is over.
struct CompactionCounts {
  int32_t rows = 0;      // hard rows taken
  int32_t tokens = 0;    // of these
  int32_t pages = 0;     // of these
  int32_t left_out = 0;  // hard rows that have tokens and were not taken, for the host to hand on
};

// Takes the hard rows of `all` in their order, as long as tokens, rows and pages fit the counts of `compact`, into
// `compact`, and fills what these leave with padding, but for pages, of which no row has those behind the last. From
// the first that does not fit on, all are left out; a row that `all` holds no tokens of, as padding, is passed over.
// Row i of `compact` is row taken[i] of `all`; kNoRow marks padding. Precondition: at most kMaxCompactedRows rows in
// either.
void compact_hard_rows(const uint8_t* hard,       // (all.row_count): 1 for rows to take
                       const BatchView& all,      // every row as the large guard would read it
                       const BatchView& compact,  // written; its counts are capacities
                       int32_t* taken,            // (compact.row_count)
                       CompactionCounts* counts,  // on the device
                       cudaStream_t stream);

}  // namespace saferoute::cuda
