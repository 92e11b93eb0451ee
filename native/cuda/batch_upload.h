// A batch's way to the device: all its arrays in one block, packed on the host in pinned memory, so that one copy takes
// them there. Plain C++, no header of CUDA.
#pragma once

#include <cstdint>
#include <span>

#include "cuda/batch_view.h"
#include "cuda/pass_shape.h"
#include "engine/backend.h"

namespace saferoute::cuda {

// Where the arrays of a pass begin in their block, in elements of 4 bytes; multiples of 16 bytes. It depends on the
// pass's shape alone, so that a graph finds them. Pages are last: of the others all is used, of these what a batch has.
class BatchBlock {
 public:
  BatchBlock(const PassShape& shape, int64_t page_capacity);

  // Elements of the largest block of a guard.
  static int64_t most_elements(const PassLimits& limits);

  // Packs `batch`, which check_batch() has passed and whose shape is no larger than this one's, and returns how many
  // elements of `block` are to be copied. A row that the shape has and the batch has not begins where the last ends.
  int64_t pack(const engine::Batch& batch, std::span<int32_t> block) const;

  // The arrays of a block that lies at `block` in device memory.
  BatchView view(int32_t* block) const;

  const PassShape& shape() const { return shape_; }

 private:
  PassShape shape_;
  int64_t page_capacity_;
  int64_t row_offsets_ = 0, row_starts_ = 0, page_offsets_ = 0;
  int64_t tokens_ = 0, token_row_ = 0, positions_ = 0, pages_ = 0;
};

// Throws Error(kInvalidArgument) for a batch that contradicts itself or has more tokens, rows or keys than `limits`,
// and Error(kMemory) for pages beyond `kv_pages`: the device's memory is reserved at load, so a prompt that needs more
// than the guard's budget has no place. Rows without tokens are taken, and have no pages.
void check_batch(const engine::Batch& batch, const PassLimits& limits, int32_t kv_pages);

}  // namespace saferoute::cuda
