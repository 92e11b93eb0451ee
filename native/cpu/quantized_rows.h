// What stands between two int8 GEMMs of a decoder, each in one pass over a token's row: take the GEMM's sums back to
// f32, compute, and quantise for the next GEMM.
//
// Activations are quantised per token, symmetric, stored with zero point 128: x ≈ (q - 128) * scale, scale =
// max|x| / 127, q = round to nearest even; a row of zeros has scale 0. A row with an element that is NaN or infinite
// has scale NaN, so that whatever is computed from it is NaN too. GEMM sums are sum over k of (q - 128) * w, so y[t, o]
// = sums[t, o] * token_scale[t] * weight_scale[o].
#pragma once

#include <cstdint>

#include "cpu/kernels.h"
#include "cpu/parallel_for.h"

namespace saferoute::cpu {

inline constexpr uint8_t kActivationZeroPoint = 128;

// The sums of an int8 GEMM with what makes them f32.
struct QuantizedSums {
  const int32_t* sums = nullptr;        // (tokens, outputs)
  const float* token_scale = nullptr;   // (tokens)
  const float* weight_scale = nullptr;  // (outputs)
};

void quantize_rows(const float* x,  // (tokens, size)
                   uint8_t* out,    // (tokens, size)
                   float* scale,    // (tokens)
                   int64_t tokens, int64_t size, ParallelFor parallel_for, const Kernels& kernels = best_kernels());

// out = quantised rms_norm(x)
void rms_norm_quantize(const float* x,       // (tokens, hidden)
                       const float* weight,  // (hidden)
                       uint8_t* out,         // (tokens, hidden)
                       float* scale,         // (tokens)
                       int64_t tokens, int64_t hidden, float eps, ParallelFor parallel_for,
                       const Kernels& kernels = best_kernels());

// sum = x + delta; out = quantised rms_norm(sum)
void add_rms_norm_quantize(const float* x,              // (tokens, hidden): residual stream
                           const QuantizedSums& delta,  // (tokens, hidden)
                           const float* weight,         // (hidden)
                           float* sum,                  // (tokens, hidden)
                           uint8_t* out,                // (tokens, hidden)
                           float* scale,                // (tokens)
                           int64_t tokens, int64_t hidden, float eps, ParallelFor parallel_for,
                           const Kernels& kernels = best_kernels());

// out = quantised silu(gate) * up. No allocation, but 64 KiB of stack on each thread.
void swiglu_quantize(const QuantizedSums& gate_up,  // (tokens, 2 * intermediate): gate, then up
                     uint8_t* out,                  // (tokens, intermediate)
                     float* scale,                  // (tokens)
                     int64_t tokens, int64_t intermediate, ParallelFor parallel_for,
                     const Kernels& kernels = best_kernels());

// out = the sums as f32
void dequantize_rows(const QuantizedSums& in,
                     float* out,  // (tokens, size)
                     int64_t tokens, int64_t size, ParallelFor parallel_for, const Kernels& kernels = best_kernels());

}  // namespace saferoute::cpu
