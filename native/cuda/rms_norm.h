// RMSNorm on the device, alone or with the residual addition before it, into the operand of a GEMM.
//
// out[t] = weight * x[t] / sqrt(mean(x[t]^2) + eps), in f32, rounded once. A token's outcome is the same in every
// batch, bit for bit. Preconditions of all: hidden a multiple of 8 up to kMaxRowSize, pointers 16-byte aligned.
#pragma once

#include <cuda_runtime_api.h>

#include "cuda/element_types.h"
#include "cuda/fp8_rows.h"

namespace saferoute::cuda {

void rms_norm(const float* x,       // (tokens, hidden)
              const float* weight,  // (hidden)
              Bf16* out,            // (tokens, hidden)
              int tokens, int hidden, float eps, cudaStream_t stream);
void rms_norm(const float* x, const float* weight, Fp8Rows out, int tokens, int hidden, float eps, cudaStream_t stream);

// x += delta; out = rms_norm(x)
void add_rms_norm(float* x,             // (tokens, hidden): residual stream, updated
                  const Bf16* delta,    // (tokens, hidden): what a layer adds to it
                  const float* weight,  // (hidden)
                  Bf16* out,            // (tokens, hidden)
                  int tokens, int hidden, float eps, cudaStream_t stream);
void add_rms_norm(float* x, const float* delta, const float* weight, Bf16* out, int tokens, int hidden, float eps,
                  cudaStream_t stream);
void add_rms_norm(float* x, const Bf16* delta, const float* weight, Fp8Rows out, int tokens, int hidden, float eps,
                  cudaStream_t stream);
void add_rms_norm(float* x, const float* delta, const float* weight, Fp8Rows out, int tokens, int hidden, float eps,
                  cudaStream_t stream);

}  // namespace saferoute::cuda
