// Matrix product of quantised activations and int8 weights on the tile unit of newer x86 servers (AMX). The inference
// library's product gets the most out of that unit only with hundreds of tokens; a guard mostly has fewer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/parallel_for.h"
#include "cpu/tile_unit.h"  // has_int8_tiles

namespace saferoute::cpu {

// Bytes of a packed weight.
int64_t packed_int8_bytes(int64_t outputs, int64_t inputs);

// Reorders weights for int8_matmul and appends their column sums.
void pack_int8(const int8_t* weight,  // (inputs, outputs)
               std::byte* packed,     // (packed_int8_bytes)
               int64_t outputs, int64_t inputs, ParallelFor parallel_for);

// sums[t, o] = sum over i of (x[t, i] - 128) * weight[i, o], exact. Preconditions: has_int8_tiles();
// inputs * 127 * 255 fits int32. Any address will do, but where x, packed or sums are not at multiples of 64 bytes,
// each row of a tile is two accesses, and the product a third slower.
void int8_matmul(const uint8_t* x,         // (tokens, inputs)
                 const std::byte* packed,  // (packed_int8_bytes)
                 int32_t* sums,            // (tokens, outputs)
                 int64_t tokens, int64_t outputs, int64_t inputs, ParallelFor parallel_for);

}  // namespace saferoute::cpu
