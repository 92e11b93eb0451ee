// Between the two projections of a decoder's attention: rotate, write keys and values to their pages, attend causally
// over the pages. Once on f32 activations and once from and to int8 ones.
#pragma once

#include <cstdint>

#include "cpu/kernels.h"
#include "cpu/kv_pages.h"
#include "cpu/parallel_for.h"
#include "cpu/qkv_shape.h"

namespace saferoute::cpu {

struct AttentionParameters {
  QkvShape shape;
  const float* q_norm = nullptr;  // (head_dim) or null: with both, x = rope(rms_norm(x) per head), else rope(x)
  const float* k_norm = nullptr;  // (head_dim) or null
  float eps = 1e-6f;              // of q_norm and k_norm
  float scale = 1;                // of the scores
};

// out[t, h] = softmax(scale · q[t, h] · k[j, h / group]) · v[j, h / group] over the positions j <= t's of t's own row.
// Keys are visited page by page from the start of the prompt: a token's result is the same in every batch and however
// much of its prompt was computed before, bit for bit. Pages may hold anything where no token was written yet. A key,
// value or query that is not finite makes what depends on it NaN or infinite, and may do so to other new tokens of its
// row. With pages in bf16, queries and keys are rounded to that too, and so are the softmax's weights for the product
// with the values; what is summed up is f32. Precondition: head_dim <= kMaxHeadDim. No allocation, but 140 KiB of stack
// on each thread.
void paged_attention(const float* qkv,      // (tokens, (heads + 2 * kv_heads) * head_dim): as projected
                     const float* cos_sin,  // (tokens, head_dim): rope_table of the tokens' positions
                     const AttentionParameters& parameters, const KvPages& pages,
                     int64_t layer,   // whose part of the pages is read and written
                     float* queries,  // (tokens, heads * head_dim): scratch
                     float* out,      // (tokens, heads * head_dim)
                     int64_t tokens, ParallelFor parallel_for, const Kernels& kernels = best_kernels());

// The same between int8 projections: qkv[t, o] = accumulated[t, o] * token_scale[t] * weight_scale[o], and the outcome
// is quantised per token as by quantize_rows.
void paged_attention_quantized(const int32_t* accumulated,  // (tokens, (heads + 2 * kv_heads) * head_dim)
                               const float* token_scale,    // (tokens)
                               const float* weight_scale,   // ((heads + 2 * kv_heads) * head_dim)
                               const float* cos_sin,        // (tokens, head_dim)
                               const AttentionParameters& parameters, const KvPages& pages, int64_t layer,
                               float* queries,    // (tokens, heads * head_dim): scratch
                               float* attended,   // (tokens, heads * head_dim): scratch
                               uint8_t* out,      // (tokens, heads * head_dim)
                               float* out_scale,  // (tokens)
                               int64_t tokens, ParallelFor parallel_for, const Kernels& kernels = best_kernels());

}  // namespace saferoute::cpu
