#include "ort/decoder_ops.h"

#include <cmath>

#include "cpu/guard_head.h"
#include "cpu/rms_norm.h"
#include "cpu/swiglu.h"

namespace saferoute::ort {
namespace {

constexpr ElementType kFloat = ElementType::kFloat;
constexpr ElementType kInt32 = ElementType::kInt32;

Operator rms_norm(int64_t hidden, float eps) {
  return {"RmsNorm", {kFloat, kFloat}, {kFloat}, [=](const KernelCall& call) {
            const int64_t tokens = call.elements(0) / hidden;
            cpu::rms_norm(call.input<float>(0), call.input<float>(1), call.output<float>(0, {tokens, hidden}), tokens,
                          hidden, eps, call.parallel_for());
          }};
}

Operator add_rms_norm(int64_t hidden, float eps) {
  return {"AddRmsNorm", {kFloat, kFloat, kFloat}, {kFloat, kFloat}, [=](const KernelCall& call) {
            const int64_t tokens = call.elements(0) / hidden;
            auto* sum = call.output<float>(0, {tokens, hidden});
            auto* normed = call.output<float>(1, {tokens, hidden});
            cpu::add_rms_norm(call.input<float>(0), call.input<float>(1), call.input<float>(2), sum, normed, tokens,
                              hidden, eps, call.parallel_for());
          }};
}

Operator paged_attention(const model::ModelSpec& spec, const AttentionMemory& attention) {
  std::vector<ElementType> inputs{kFloat, kFloat, kInt32};
  if (spec.qk_norm) inputs.insert(inputs.end(), 2, kFloat);
  return {"PagedAttention", std::move(inputs), {kFloat}, [=, &attention](const KernelCall& call) {
            const int64_t tokens = call.elements(0) / spec.qkv_size();
            auto* attended = call.output<float>(0, {tokens, spec.query_size()});
            const int64_t layer = *call.input<int32_t>(2);
            cpu::paged_attention(call.input<float>(0), call.input<float>(1), attention_parameters(spec, call, 3),
                                 attention.kv.current(), layer, attention.queries.as<float>(), attended, tokens,
                                 call.parallel_for());
          }};
}

Operator swiglu(int64_t intermediate) {
  return {"SwiGlu", {kFloat}, {kFloat}, [=](const KernelCall& call) {
            const int64_t tokens = call.elements(0) / (2 * intermediate);
            cpu::swiglu(call.input<float>(0), call.output<float>(0, {tokens, intermediate}), tokens, intermediate,
                        call.parallel_for());
          }};
}

Operator guard_head(int64_t hidden, float eps, const HeadWeights& head) {
  const cpu::GuardHeadWeights weights{
      .final_norm = head.final_norm.data(),
      .verdict_rows = head.verdict_rows.data(),
      .network = head.network.get(),
      .verdict_tokens = static_cast<int32_t>(head.verdict_rows.size() / head.final_norm.size()),
      .hidden = static_cast<int32_t>(hidden),
      .eps = eps,
  };
  return {"GuardHead", {kFloat, kFloat, kInt32}, {kFloat, kFloat, kFloat}, [=](const KernelCall& call) {
            const int64_t rows = call.elements(2) - 1;
            auto* logits = call.output<float>(0, {rows, weights.verdict_tokens});
            auto* hardness = call.output<float>(1, {rows});
            auto* feature = call.output<float>(2, {rows, hidden});
            cpu::guard_head(call.input<float>(0), call.input<float>(1), call.input<int32_t>(2), weights, feature,
                            logits, hardness, rows, call.parallel_for());
          }};
}

uint64_t scratch_bytes(const model::ModelSpec& spec, int32_t batch_tokens) {
  return static_cast<uint64_t>(batch_tokens) * static_cast<uint64_t>(spec.query_size()) * sizeof(float);
}

}  // namespace

AttentionMemory::AttentionMemory(const model::ModelSpec& spec, cpu::KvFormat format, int32_t batch_tokens,
                                 uint64_t kv_bytes)
    : kv(spec, format, kv_bytes),
      queries(scratch_bytes(spec, batch_tokens)),
      attended(scratch_bytes(spec, batch_tokens)) {}

cpu::AttentionParameters attention_parameters(const model::ModelSpec& spec, const KernelCall& call, size_t first_norm) {
  return {.shape = {spec.heads, spec.kv_heads, spec.head_dim},
          .q_norm = spec.qk_norm ? call.input<float>(first_norm) : nullptr,
          .k_norm = spec.qk_norm ? call.input<float>(first_norm + 1) : nullptr,
          .eps = spec.rms_norm_eps,
          .scale = 1.0f / std::sqrt(static_cast<float>(spec.head_dim))};
}

void add_f32_ops(CustomOps& ops, const model::ModelSpec& spec, const AttentionMemory& attention) {
  ops.add(rms_norm(spec.hidden_size, spec.rms_norm_eps));
  ops.add(add_rms_norm(spec.hidden_size, spec.rms_norm_eps));
  ops.add(paged_attention(spec, attention));
  ops.add(swiglu(spec.intermediate_size));
}

void add_head_op(CustomOps& ops, const model::ModelSpec& spec, const HeadWeights& head) {
  ops.add(guard_head(spec.hidden_size, spec.rms_norm_eps, head));
}

}  // namespace saferoute::ort
