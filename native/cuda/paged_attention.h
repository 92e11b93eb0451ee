// Attention on the device: causal, over the pages of keys and values, for a ragged batch.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "cuda/attention_plan.h"
#include "cuda/batch_view.h"
#include "cuda/element_types.h"
#include "cuda/kv_layer.h"

namespace saferoute::cuda {

// Whether a row's keys are spread over blocks of threads. Outcomes are the same.
enum class KeySpread {
  kWhereItPays,
  kNever,
  kWherePossible,
};

struct AttentionParameters {
  int32_t heads = 0;
  float scale = 1;       // of the scores; above 0
  int32_t max_keys = 0;  // no row of the batch has more: tokens before and new ones
  AttentionQueries which = AttentionQueries::kAll;
  KeySpread spread = KeySpread::kWhereItPays;
};

// out[t, h] = softmax(scale · q[t, h] · k[j, h / group]) · v[j, h / group] over the positions j <= t's of t's own row.
// On the tensor cores: the softmax's weights are rounded to bf16 for the product with the values, what is summed up is
// f32. A token's outcome is the same in every batch and however much of its prompt was computed before, bit for bit.
// Pages may hold anything where no token was written yet. A query, key or value that is not finite makes what depends
// on it NaN or infinite, and may do so to other new tokens of its row.
//
// Rows of a batch may share pages. Neither the outcome of padding tokens nor that of rows without tokens is written.
// head_dim 64 and 128 are fast; others compute as much as the next larger of 64, 128 and 256. Throws as
// require_attendable. Launches at most two kernels. Preconditions: pointers 16-byte aligned, page ids of the batch
// within the pages of `kv`.
void paged_attention(const Bf16* qkv,  // (batch.token_count, (heads + 2 * kv_heads) * head_dim): queries turned, as
                                       // rope leaves them; keys and values are read from pages only
                     const KvLayer& kv, const BatchView& batch, const AttentionParameters& parameters,
                     float* scratch,  // attention_scratch_bytes(head_dim)
                     Bf16* out,       // (batch.token_count, heads * head_dim); kLastOfRow: (batch.row_count, ...)
                     cudaStream_t stream);

}  // namespace saferoute::cuda
