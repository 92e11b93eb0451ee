// The operators of a decoder in int8 between its GEMMs, and the GEMMs themselves on CPUs with a tile unit.
#pragma once

#include "model/model_spec.h"
#include "ort/anonymous_memory.h"
#include "ort/custom_ops.h"
#include "ort/decoder_ops.h"  // AttentionMemory

namespace saferoute::ort {

// Tensors, in order of inputs -> outputs; f32 where nothing else is said. A GEMM's outcome is three inputs, written
// sums(size): i32 sums (tokens, size), token_scale (tokens), weight_scale (size). Activations are two outputs, written
// quantized(size): u8 values (tokens, size), scale (tokens).
//   RmsNormQuantize          x (tokens, hidden), weight (hidden) -> quantized(hidden)
//   AddRmsNormQuantize       x (tokens, hidden), sums(hidden), weight (hidden) -> x + delta, quantized(hidden)
//   PagedAttentionQuantized  sums(qkv_size), cos_sin (tokens, head_dim), layer i32 (1)[, q_norm, k_norm (head_dim)]
//                            -> quantized(query_size)
//   SwiGluQuantize           sums(2 * intermediate) -> quantized(intermediate)
//   Dequantize               sums(hidden) -> (tokens, hidden)
//   Int8MatMul               u8 (tokens, inputs), u8 packed weight, i32 (2): outputs, inputs -> i32 (tokens, outputs)
//   GateUpSwiGlu             quantized(hidden), u8 packed gate and up, weight_scale (2 * intermediate)
//                            -> quantized(intermediate)
// `attention` and `activated` are referred to by the operators and must outlive them.
void add_int8_ops(CustomOps& ops, const model::ModelSpec& spec, const AttentionMemory& attention,
                  const AnonymousMemory& activated);

// Scratch of GateUpSwiGlu, f32 (cpu::activated_size) for `batch_tokens` tokens. No output of the operator, for the
// reason that AttentionMemory gives.
AnonymousMemory activated_memory(const model::ModelSpec& spec, int32_t batch_tokens);

}  // namespace saferoute::ort
