// The end of a guard's forward pass in one step: verdict logits, router hardness and pooled feature of each row.
#pragma once

#include <cstdint>

#include "cpu/kernels.h"
#include "cpu/parallel_for.h"
#include "router/network.h"

namespace saferoute::cpu {

struct GuardHeadWeights {
  const float* final_norm = nullptr;         // (hidden)
  const float* verdict_rows = nullptr;       // (verdict_tokens, hidden)
  const router::Network* network = nullptr;  // null where the guard carries no router
  int32_t verdict_tokens = 0;
  int32_t hidden = 0;
  float eps = 1e-5f;
};

// feature[r] = rms_norm(x[last(r)] + delta[last(r)]), last(r) = row_offsets[r + 1] - 1; no other token is read.
// logits[r] = verdict_rows · feature[r]; hardness[r] = sigmoid(mlp(feature[r])).
// A row's outcome is the same in every batch, bit for bit. No allocation, but 192 KiB of stack for the router.
void guard_head(const float* x,              // (tokens, hidden): residual stream
                const float* delta,          // (tokens, hidden): last MLP output
                const int32_t* row_offsets,  // (rows + 1)
                const GuardHeadWeights& weights,
                float* feature,   // (rows, hidden)
                float* logits,    // (rows, verdict_tokens)
                float* hardness,  // (rows); NaN where there is no router
                int64_t rows, ParallelFor parallel_for, const Kernels& kernels = best_kernels());

// Hardness of many features; of each the same as alone, bit for bit.
void route(const router::Network& network,
           const float* features,  // (rows, network.input_size())
           float* hardness,        // (rows)
           int64_t rows, ParallelFor parallel_for, const Kernels& kernels = best_kernels());

// Hardness of one feature; the same in whatever order, and on whatever threads, `parallel_for` computes. 48 KiB of
// stack.
float route(const router::Network& network, const float* feature,  // (network.input_size())
            ParallelFor parallel_for = serial(), const Kernels& kernels = best_kernels());

}  // namespace saferoute::cpu
