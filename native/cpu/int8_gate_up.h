// The gate and up projections of a decoder's MLP on the tile unit, with the gated activation and its quantisation:
// int8_matmul and swiglu_quantize in one, so that the sums, eight times as large as what comes of them, never go to
// memory.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/parallel_for.h"
#include "cpu/tile_unit.h"  // has_int8_tiles

namespace saferoute::cpu {

// Bytes of a packed weight.
int64_t packed_gate_up_bytes(int64_t intermediate, int64_t inputs);

// Reorders weights for gate_up_swiglu: gate and up of one element lie in one panel.
void pack_gate_up(const int8_t* weight,  // (inputs, 2 * intermediate): gate, then up
                  std::byte* packed,     // (packed_gate_up_bytes)
                  int64_t intermediate, int64_t inputs, ParallelFor parallel_for);

// Floats of the scratch that gate_up_swiglu needs for `tokens` tokens.
int64_t activated_size(int64_t tokens, int64_t intermediate);

// out = quantised silu(gate) * up, where gate and up are int8_matmul's sums with their scales: bit for bit what
// swiglu_quantize makes of them. Preconditions and addresses as of int8_matmul.
void gate_up_swiglu(const uint8_t* x,           // (tokens, inputs)
                    const float* token_scale,   // (tokens): of x
                    const std::byte* packed,    // (packed_gate_up_bytes)
                    const float* weight_scale,  // (2 * intermediate)
                    float* activated,           // (activated_size): scratch
                    uint8_t* out,               // (tokens, intermediate)
                    float* out_scale,           // (tokens)
                    int64_t tokens, int64_t intermediate, int64_t inputs, ParallelFor parallel_for);

}  // namespace saferoute::cpu
