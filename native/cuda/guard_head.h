// The end of a guard's forward pass in one launch: verdict logits, router hardness and pooled feature of each row, and
// whether the row is hard.
#pragma once

#include <cstddef>
#include <cstdint>

#include <cuda_runtime_api.h>

#include "cuda/element_types.h"
#include "cuda/router_layout.h"
#include "cuda/row_plan.h"

namespace saferoute::cuda {

inline constexpr int kMaxVerdictTokens = 8;
inline constexpr int kMaxHeadHidden = 8192;

struct GuardHeadWeights {
  const float* final_norm = nullptr;            // (hidden)
  const Bf16* verdict_rows = nullptr;           // (verdict_tokens, hidden)
  const std::byte* router = nullptr;            // packed, see pack_router; 16-byte aligned
  const RouterLayout* router_layout = nullptr;  // null or empty where the guard carries no router
  int verdict_tokens = 0;
  int hidden = 0;
  float eps = 1e-5f;
};

// A row is hard where its plan forces it, or where hardness > threshold and its plan leaves it to the rule. A hardness
// that is NaN is hard to no threshold: the reading is an error by itself.
struct HardRule {
  const float* threshold = nullptr;  // (1), on the device: a graph that was captured with it follows its changes
  const RowPlan* plan = nullptr;     // (rows); null: every row by the rule
};

struct GuardHeadOutputs {
  float* feature = nullptr;   // (rows, hidden); null: not wanted
  float* logits = nullptr;    // (rows, verdict_tokens)
  float* hardness = nullptr;  // (rows); NaN where there is no router
  uint8_t* hard = nullptr;    // (rows); null: not wanted, and then no rule is read
};

// feature[r] = rms_norm(x[last(r)] + delta[last(r)]), last(r) = row_offsets[r + 1] - 1, or r where row_offsets is null;
// no other token is read. logits[r] = verdict_rows · feature[r]; hardness[r] = sigmoid(mlp(feature[r])), its products
// in bf16 with f32 sums. All of a row of no tokens is NaN, and it is never hard; with null
// row_offsets every row counts as one that has tokens. A row's outcome is the
// same in every batch, bit for bit. Up to 256 rows are one launch, more are several. Preconditions: hidden a multiple
// of 8 up to kMaxHeadHidden, the router's input as wide; pointers 16-byte aligned. `scratch` (guard_head_scratch_bytes)
// belongs to one stream at a time.
void guard_head(const float* x,              // (tokens, hidden): residual stream
                const Bf16* delta,           // (tokens, hidden): last MLP output
                const int32_t* row_offsets,  // (rows + 1) or null
                const GuardHeadWeights& weights, const HardRule& rule, const GuardHeadOutputs& out, std::byte* scratch,
                int rows, cudaStream_t stream);
void guard_head(const float* x, const float* delta, const int32_t* row_offsets, const GuardHeadWeights& weights,
                const HardRule& rule, const GuardHeadOutputs& out, std::byte* scratch, int rows, cudaStream_t stream);

}  // namespace saferoute::cuda
