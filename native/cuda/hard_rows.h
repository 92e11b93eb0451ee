// A cascade's batches on the host: what decides which rows are hard, and the same decision where the device has not
// made it. Plain C++, no header of CUDA.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cuda/row_plan.h"
#include "engine/backend.h"
#include "engine/device_cascade.h"

namespace saferoute::cuda {

struct CascadeInputs {
  const engine::Batch& small;
  const engine::Batch& large;  // row r: as the large guard reads row r of `small`
  float threshold = 0.5f;      // a hardness in f32 is above it exactly where it is above the plan's
  std::vector<RowPlan> plan;   // (rows)
};

// Throws Error(kInvalidArgument) unless both batches and the plan are of as many rows, and every row that the plan does
// not forbid has tokens for the large guard. The batches outlive what is returned.
CascadeInputs cascade_inputs(const engine::Batch& small, const engine::Batch& large,
                             const engine::EscalationPlan& plan);

// The largest f32 that is no larger: `hardness` > it exactly where `hardness` > `threshold`.
float threshold_below(double threshold);

// The rows that guard_head would mark and compaction take. `hardness` (rows).
std::vector<int32_t> pick_hard_rows(std::span<const float> hardness, const CascadeInputs& inputs);

// `rows` of `batch` with their tokens and pages, and all of its page copies.
engine::Batch rows_of(const engine::Batch& batch, std::span<const int32_t> rows);

// One prompt of `tokens` ids spread over the vocabulary, in the first pages.
engine::Batch made_up_batch(int32_t tokens, int32_t vocab_size);

}  // namespace saferoute::cuda
