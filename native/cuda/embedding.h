// The beginning of a forward pass on the device: each token's row of the embedding table.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "cuda/element_types.h"

namespace saferoute::cuda {

// out[t] = table[tokens[t]]. Preconditions: ids in [0, vocab), hidden a multiple of 8, pointers 16-byte aligned.
void embedding(const int32_t* tokens,  // (token_count)
               const Bf16* table,      // (vocab, hidden)
               float* out,             // (token_count, hidden): residual stream
               int token_count, int hidden, cudaStream_t stream);

}  // namespace saferoute::cuda
