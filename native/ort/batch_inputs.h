// A batch as the engine gives it, checked, and what the host prepares of it for the graph.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/backend.h"
#include "model/model_spec.h"

namespace saferoute::ort {

// Throws Error(kInvalidArgument) for a batch that contradicts itself or has more than `most_tokens`.
void check_batch(const engine::Batch& batch, int32_t most_tokens);

// Buffers for batches of up to a certain number of tokens. Owned by the backend; used only on its thread.
class BatchInputs {
 public:
  BatchInputs(const model::ModelSpec& spec, int32_t most_tokens);

  // All but `hidden`, for a batch that was checked.
  void fill(const engine::Batch& batch);

  std::vector<float> hidden;          // (most_tokens, hidden): for the caller to fill
  std::vector<float> cos_sin;         // (most_tokens, head_dim)
  std::vector<int32_t> last_tokens;   // (rows)
  std::vector<int32_t> head_offsets;  // (rows + 1)

 private:
  int64_t head_dim_;
  std::vector<float> inverse_frequencies_;  // (head_dim / 2)
  std::vector<int32_t> positions_;          // (most_tokens)
};

}  // namespace saferoute::ort
