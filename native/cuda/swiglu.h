// The gated activation between the two halves of a decoder's MLP, on the device.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/element_types.h"
#include "cuda/fp8_rows.h"

namespace saferoute::cuda {

// out = silu(gate) * up, in f32, rounded once. Preconditions: intermediate a multiple of 8 (Fp8Rows: up to
// kMaxRowSize), pointers 16-byte aligned.
void swiglu(const Bf16* gate_up,  // (tokens, 2 * intermediate): gate, then up
            Bf16* out,            // (tokens, intermediate)
            int tokens, int intermediate, cudaStream_t stream);
void swiglu(const Bf16* gate_up, Fp8Rows out, int tokens, int intermediate, cudaStream_t stream);

}  // namespace saferoute::cuda
