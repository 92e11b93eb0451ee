// Where a pass only needs the end of each prompt: its last tokens, taken out before the last layer's output projection
// and MLP, so that those run for one token of a row.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

namespace saferoute::cuda {

// last[r] = x[row_offsets[r + 1] - 1]; zeros for a row of no tokens. Preconditions: hidden a multiple of 4, pointers
// 16-byte aligned.
void gather_last_tokens(const float* x,              // (tokens, hidden): residual stream
                        const int32_t* row_offsets,  // (rows + 1)
                        float* last,                 // (rows, hidden)
                        int rows, int hidden, cudaStream_t stream);

}  // namespace saferoute::cuda
