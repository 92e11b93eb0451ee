// The operators of a decoder in f32 between its GEMMs, and those that every decoder has: our cpu/ kernels under the
// names that decoder_graph puts in its nodes.
#pragma once

#include "cpu/paged_attention.h"
#include "model/model_spec.h"
#include "ort/custom_ops.h"
#include "ort/head_weights.h"
#include "ort/kv_arena.h"

namespace saferoute::ort {

inline constexpr const char* kOpDomain = "saferoute";

// What attention works on beside its tensors. The scratch is no output of the operator, because ONNX Runtime 1.30 keeps
// an output that no node reads until the end of the run, one for each layer.
struct AttentionMemory {
  AttentionMemory(const model::ModelSpec& spec, cpu::KvFormat format, int32_t batch_tokens, uint64_t kv_bytes);

  KvArena kv;                // the batch is the one bound to it
  AnonymousMemory queries;   // f32 (batch_tokens, query_size)
  AnonymousMemory attended;  // the same; in int8 only
};

// Tensors, in order of inputs -> outputs; f32 where nothing else is said. (tokens, …) may as well be (rows, …): nothing
// but attention mixes tokens.
//   RmsNorm         x (tokens, hidden), weight (hidden) -> normed
//   AddRmsNorm      x, delta (tokens, hidden), weight (hidden) -> x + delta, normed
//   PagedAttention  qkv (tokens, qkv_size), cos_sin (tokens, head_dim), layer i32 (1)[, q_norm, k_norm (head_dim)]
//                   -> attended (tokens, query_size)
//   SwiGlu          gate_up (tokens, 2 * intermediate) -> (tokens, intermediate)
// `attention` is referred to by the operators and must outlive them.
void add_f32_ops(CustomOps& ops, const model::ModelSpec& spec, const AttentionMemory& attention);

//   GuardHead       x, delta (tokens, hidden), row_offsets i32 (rows + 1)
//                   -> logits (rows, verdict_tokens), hardness (rows), feature (rows, hidden)
// `head` is referred to by the operator and must outlive it.
void add_head_op(CustomOps& ops, const model::ModelSpec& spec, const HeadWeights& head);

// What attention needs of `spec`; q_norm and k_norm are its inputs from `first_norm` on.
cpu::AttentionParameters attention_parameters(const model::ModelSpec& spec, const KernelCall& call, size_t first_norm);

}  // namespace saferoute::ort
