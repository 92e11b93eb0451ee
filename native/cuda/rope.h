// Rotary position embedding on the device, with what else becomes of a layer's fused projection in the same pass: the
// norm of queries and keys where a guard has one, and the keys' and values' way into their pages.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "cuda/batch_view.h"
#include "cuda/element_types.h"
#include "cuda/kv_layer.h"

namespace saferoute::cuda {

// cos and sin for each token's position, in the half-split layout of transformers: pair (i, i + head_dim / 2). Once per
// pass: every layer turns by the same angles.
void rope_table(const int32_t* positions,        // (tokens)
                const float* inverse_frequency,  // (head_dim / 2)
                float* cos_sin,                  // (tokens, head_dim): head_dim / 2 cosines, then as many sines
                int tokens, int head_dim, cudaStream_t stream);

// RMSNorm over head_dim on each query and key head before it is turned (Qwen3).
struct QkNorm {
  const float* query_weight = nullptr;  // (head_dim); null: no norm
  const float* key_weight = nullptr;    // (head_dim); null: no norm
  float eps = 1e-6f;
};

// Queries are normed and turned in place; keys are normed, turned and written to their page; values are copied to
// theirs. In f32, rounded once. Precondition: qkv and cos_sin 16-byte aligned.
void rope(Bf16* qkv,  // (batch.token_count, (heads + 2 * kv_heads) * head_dim): queries, keys, values of each token
          const float* cos_sin,  // (batch.token_count, head_dim), see rope_table
          const QkNorm& norm, const KvLayer& kv, const BatchView& batch, int heads, cudaStream_t stream);

}  // namespace saferoute::cuda
