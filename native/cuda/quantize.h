// Rows of bf16 as rows of FP8 with a scale each: activations that no op of ours produces, and weights while they load.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/element_types.h"
#include "cuda/fp8_rows.h"

namespace saferoute::cuda {

// out.values[r] = x[r] / out.scales[r], rounded to nearest even. Preconditions: size a multiple of 8 up to kMaxRowSize,
// pointers 16-byte aligned.
void quantize(const Bf16* x,  // (rows, size)
              Fp8Rows out, int rows, int size, cudaStream_t stream);

}  // namespace saferoute::cuda
