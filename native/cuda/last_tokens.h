// Where a pass only needs the end of each prompt: its last tokens, taken out before the last layer's output projection
// and MLP, so that those run for one token of a row.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "cuda/element_types.h"

namespace saferoute::cuda {

// x_last[r] = x[last(r)] and attention_last[r] = attention[last(r)], last(r) = row_offsets[r + 1] - 1; zeros for a row
// of no tokens. Preconditions: hidden a multiple of 4, query_size of 8, pointers 16-byte aligned.
void gather_last_tokens(const float* x,              // (tokens, hidden): residual stream
                        const Bf16* attention,       // (tokens, query_size)
                        const int32_t* row_offsets,  // (rows + 1)
                        float* x_last,               // (rows, hidden)
                        Bf16* attention_last,        // (rows, query_size)
                        int rows, int hidden, int query_size, cudaStream_t stream);

}  // namespace saferoute::cuda
