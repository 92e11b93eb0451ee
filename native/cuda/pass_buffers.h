// Everything that a pass writes between the embedding table and its readings: one block, sized for the largest pass, so
// that a run allocates nothing. Plain C++, no header of CUDA.
#pragma once

#include <cstdint>

#include "cuda/guard_demand.h"
#include "cuda/pass_shape.h"
#include "cuda/weight_layout.h"

namespace saferoute::cuda {

// An operand of a product: bf16, or FP8 with a scale to a token.
struct OperandExtent {
  Extent values;  // (tokens, size)
  Extent scales;  // (tokens), f32; FP8 only
};

struct PassBuffers {
  Extent batch;                // a BatchBlock, as the host sent it
  Extent compacted;            // a BatchBlock: the hard rows of a cascade
  Extent residual;             // (tokens, hidden), f32
  Extent cos_sin;              // (tokens, head_dim), f32
  OperandExtent normed;        // (tokens, hidden)
  Extent qkv;                  // (tokens, qkv_size), bf16
  Extent attended;             // (tokens, query_size), bf16
  OperandExtent attended_fp8;  // (tokens, query_size); FP8 only: attention writes bf16
  Extent delta;                // (tokens, hidden), f32: what a layer's halves add to the residual stream
  Extent gate_up;              // (tokens, 2 * intermediate), bf16
  OperandExtent product;       // (tokens, intermediate): of gate and up
  Extent last_residual;        // (rows, hidden), f32
  Extent last_attended;        // (rows, query_size), bf16
  Extent attention;            // scratch of paged_attention
  Extent head;                 // scratch of guard_head
  Extent features;             // (rows, hidden), f32
  Extent logits;               // (rows, verdict_tokens), f32
  Extent hardness;             // (rows), f32
  Extent hard;                 // (rows), u8
  Extent row_plan;             // (rows), u8: RowPlan
  Extent taken;                // (rows), i32: of compaction
  Extent counts;               // CompactionCounts, and the threshold of a HardRule behind them
  uint64_t bytes = 0;          // of the block
};

PassLimits pass_limits(const GuardDemand& demand);
PassBuffers pass_buffers(const GuardDemand& demand);

}  // namespace saferoute::cuda
