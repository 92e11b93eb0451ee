// One launch. Each block numbers the hard rows for itself, which is cheaper than a second launch that waits for the
// first, and copies its share of their tokens and pages.
#include <algorithm>
#include <string>

#include "cuda/compaction.h"
#include "cuda/launch.cuh"
#include "cuda/reductions.cuh"
#include "engine/error.h"

namespace saferoute::cuda {
namespace {

constexpr int kThreads = kMaxCompactedRows;  // one row to a thread
constexpr int kWarps = kThreads / kWarpSize;

// How many there are before a row, and at the end in all.
struct Tally {
  int rows = 0;
  int tokens = 0;
  int pages = 0;

  __device__ Tally operator+(const Tally& other) const {
    return {rows + other.rows, tokens + other.tokens, pages + other.pages};
  }
};

__device__ Tally shift_up(const Tally& tally, int lanes) {
  return {__shfl_up_sync(kWholeWarp, tally.rows, lanes), __shfl_up_sync(kWholeWarp, tally.tokens, lanes),
          __shfl_up_sync(kWholeWarp, tally.pages, lanes)};
}

// The sum of the tallies of this thread and of all before it.
__device__ Tally inclusive_scan(Tally tally, Tally* of_warp) {
  const int lane = threadIdx.x % kWarpSize, warp = threadIdx.x / kWarpSize;
  for (int offset = 1; offset < kWarpSize; offset *= 2) {
    const Tally before = shift_up(tally, offset);
    if (lane >= offset) tally = before + tally;
  }
  if (lane == kWarpSize - 1) of_warp[warp] = tally;
  __syncthreads();
  for (int w = 0; w < warp; ++w) tally = of_warp[w] + tally;
  return tally;
}

struct Numbering {
  Tally of_warp[kWarps];
  int row[kMaxCompactedRows];        // of the whole batch
  int token_end[kMaxCompactedRows];  // of the compact batch: first token behind each row taken
  int page_end[kMaxCompactedRows];
};

// First i in [0, count) with ends[i] > index, which is the row that `index` is in; `count` where it is behind them all.
__device__ int row_of(const int* ends, int count, int index) {
  int low = 0, high = count;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (ends[middle] > index) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// Fills `numbering` with the rows taken and returns how many there are of everything.
__device__ Tally number_rows(const uint8_t* hard, const BatchView& all, const BatchView& compact, Numbering& numbering,
                             int& hard_rows) {
  const int row = threadIdx.x;
  const bool is_hard = row < all.row_count && hard[row];
  const int tokens = is_hard ? all.row_offsets[row + 1] - all.row_offsets[row] : 0;
  const bool is_there = tokens > 0;
  const int pages = is_there ? all.page_offsets[row + 1] - all.page_offsets[row] : 0;
  const Tally through = inclusive_scan({is_there, tokens, pages}, numbering.of_warp);
  // Sums only grow: once one row does not fit, none behind it does.
  const bool taken = is_there && through.rows <= compact.row_count && through.tokens <= compact.token_count &&
                     through.pages <= compact.page_count;
  if (taken) {
    numbering.row[through.rows - 1] = row;
    numbering.token_end[through.rows - 1] = through.tokens;
    numbering.page_end[through.rows - 1] = through.pages;
  }
  hard_rows = __syncthreads_count(is_there);
  const int rows = __syncthreads_count(taken);
  if (rows == 0) return {};
  return {rows, numbering.token_end[rows - 1], numbering.page_end[rows - 1]};
}

__device__ void write_rows(const BatchView& all, const BatchView& compact, const Numbering& numbering, const Tally& sum,
                           int* taken) {
  const int i = threadIdx.x;
  if (i == 0) compact.row_offsets[0] = compact.page_offsets[0] = 0;
  if (i >= compact.row_count) return;
  const bool present = i < sum.rows;
  taken[i] = present ? numbering.row[i] : kNoRow;
  compact.row_offsets[i + 1] = present ? numbering.token_end[i] : sum.tokens;
  compact.page_offsets[i + 1] = present ? numbering.page_end[i] : sum.pages;
  compact.row_starts[i] = present ? all.row_starts[numbering.row[i]] : 0;
}

// Token or page `index` of the compact batch: the row it is in, and its place in that row.
struct Place {
  int row = kNoRow;
  int at = 0;
};

__device__ Place place_of(const int* ends, const Tally& sum, int index) {
  const int row = row_of(ends, sum.rows, index);
  if (row == sum.rows) return {};
  return {row, index - (row == 0 ? 0 : ends[row - 1])};
}

__global__ void __launch_bounds__(kThreads)
    compact_hard_rows_kernel(const uint8_t* hard, BatchView all, BatchView compact, int* taken,
                             CompactionCounts* counts) {
  __shared__ Numbering numbering;
  int hard_rows = 0;
  const Tally sum = number_rows(hard, all, compact, numbering, hard_rows);
  if (blockIdx.x == 0) {
    write_rows(all, compact, numbering, sum, taken);
    if (threadIdx.x == 0) *counts = {sum.rows, sum.tokens, sum.pages, hard_rows - sum.rows};
  }
  const int first = blockIdx.x * kThreads + threadIdx.x, stride = gridDim.x * kThreads;
  for (int t = first; t < compact.token_count; t += stride) {
    const Place place = place_of(numbering.token_end, sum, t);
    const bool present = place.row != kNoRow;
    const int row = present ? numbering.row[place.row] : 0;
    compact.tokens[t] = present ? all.tokens[all.row_offsets[row] + place.at] : 0;
    compact.token_row[t] = place.row;
    compact.positions[t] = present ? all.row_starts[row] + place.at : 0;
  }
  // No row points behind the last, and there is room for millions.
  for (int p = first; p < sum.pages; p += stride) {
    const Place place = place_of(numbering.page_end, sum, p);
    compact.pages[p] = all.pages[all.page_offsets[numbering.row[place.row]] + place.at];
  }
}

void check_rows(const char* what, int rows) {
  if (rows <= kMaxCompactedRows) return;
  throw Error(ErrorCode::kUnsupported, std::string("CUDA: compaction of ") + what + " of " + std::to_string(rows) +
                                           " rows, the limit is " + std::to_string(kMaxCompactedRows));
}

}  // namespace

void compact_hard_rows(const uint8_t* hard, const BatchView& all, const BatchView& compact, int32_t* taken,
                       CompactionCounts* counts, cudaStream_t stream) {
  check_rows("a batch", all.row_count);
  check_rows("into a batch", compact.row_count);
  constexpr int kMaxBlocks = 16;  // more would only number the same rows again
  const int blocks = std::min(kMaxBlocks, (compact.token_count + kThreads - 1) / kThreads);
  launch("compact_hard_rows", compact_hard_rows_kernel, dim3(std::max(1, blocks)), kThreads, stream, hard, all, compact,
         taken, counts);
}

}  // namespace saferoute::cuda
