// The angles of the rotary position embedding.
#pragma once

#include <cstdint>

#include "cpu/parallel_for.h"

namespace saferoute::cpu {

// cos and sin for each token's position, in the half-split layout of transformers: pair (i, i + head_dim / 2).
void rope_table(const int32_t* positions,        // (tokens)
                const float* inverse_frequency,  // (head_dim / 2)
                float* cos_sin,                  // (tokens, head_dim): head_dim / 2 cosines, then as many sines
                int64_t tokens, int64_t head_dim, ParallelFor parallel_for);

}  // namespace saferoute::cpu
