#include "ort/int8_ops.h"

#include <utility>

#include "cpu/int8_gate_up.h"
#include "cpu/int8_matmul.h"
#include "cpu/paged_attention.h"
#include "cpu/quantized_rows.h"

namespace saferoute::ort {
namespace {

constexpr ElementType kFloat = ElementType::kFloat;
constexpr ElementType kInt32 = ElementType::kInt32;
constexpr ElementType kUint8 = ElementType::kUint8;

// The three inputs of a GEMM's outcome.
cpu::QuantizedSums sums(const KernelCall& call, size_t first) {
  return {.sums = call.input<int32_t>(first),
          .token_scale = call.input<float>(first + 1),
          .weight_scale = call.input<float>(first + 2)};
}

Operator rms_norm_quantize(int64_t hidden, float eps) {
  return {"RmsNormQuantize", {kFloat, kFloat}, {kUint8, kFloat}, [=](const KernelCall& call) {
            const int64_t tokens = call.elements(0) / hidden;
            auto* out = call.output<uint8_t>(0, {tokens, hidden});
            auto* scale = call.output<float>(1, {tokens});
            cpu::rms_norm_quantize(call.input<float>(0), call.input<float>(1), out, scale, tokens, hidden, eps,
                                   call.parallel_for());
          }};
}

Operator add_rms_norm_quantize(int64_t hidden, float eps) {
  return {"AddRmsNormQuantize",
          {kFloat, kInt32, kFloat, kFloat, kFloat},
          {kFloat, kUint8, kFloat},
          [=](const KernelCall& call) {
            const int64_t tokens = call.elements(0) / hidden;
            auto* sum = call.output<float>(0, {tokens, hidden});
            auto* out = call.output<uint8_t>(1, {tokens, hidden});
            auto* scale = call.output<float>(2, {tokens});
            cpu::add_rms_norm_quantize(call.input<float>(0), sums(call, 1), call.input<float>(4), sum, out, scale,
                                       tokens, hidden, eps, call.parallel_for());
          }};
}

Operator paged_attention_quantized(const model::ModelSpec& spec, const AttentionMemory& attention) {
  std::vector<ElementType> inputs{kInt32, kFloat, kFloat, kFloat, kInt32};
  if (spec.qk_norm) inputs.insert(inputs.end(), 2, kFloat);
  return {"PagedAttentionQuantized", std::move(inputs), {kUint8, kFloat}, [=, &attention](const KernelCall& call) {
            const int64_t tokens = call.elements(0) / spec.qkv_size();
            auto* out = call.output<uint8_t>(0, {tokens, spec.query_size()});
            auto* scale = call.output<float>(1, {tokens});
            const cpu::QuantizedSums qkv = sums(call, 0);
            const int64_t layer = *call.input<int32_t>(4);
            cpu::paged_attention_quantized(qkv.sums, qkv.token_scale, qkv.weight_scale, call.input<float>(3),
                                           attention_parameters(spec, call, 5), attention.kv.current(), layer,
                                           attention.queries.as<float>(), attention.attended.as<float>(), out, scale,
                                           tokens, call.parallel_for());
          }};
}

Operator swiglu_quantize(int64_t intermediate) {
  return {"SwiGluQuantize", {kInt32, kFloat, kFloat}, {kUint8, kFloat}, [=](const KernelCall& call) {
            const int64_t tokens = call.elements(0) / (2 * intermediate);
            auto* out = call.output<uint8_t>(0, {tokens, intermediate});
            auto* scale = call.output<float>(1, {tokens});
            cpu::swiglu_quantize(sums(call, 0), out, scale, tokens, intermediate, call.parallel_for());
          }};
}

Operator dequantize(int64_t hidden) {
  return {"Dequantize", {kInt32, kFloat, kFloat}, {kFloat}, [=](const KernelCall& call) {
            const int64_t tokens = call.elements(0) / hidden;
            cpu::dequantize_rows(sums(call, 0), call.output<float>(0, {tokens, hidden}), tokens, hidden,
                                 call.parallel_for());
          }};
}

Operator int8_matmul() {
  return {"Int8MatMul", {kUint8, kUint8, kInt32}, {kInt32}, [](const KernelCall& call) {
            const auto* shape = call.input<int32_t>(2);
            const int64_t outputs = shape[0];
            const int64_t inputs = shape[1];
            const int64_t tokens = call.elements(0) / inputs;
            const auto* packed = reinterpret_cast<const std::byte*>(call.input<uint8_t>(1));
            cpu::int8_matmul(call.input<uint8_t>(0), packed, call.output<int32_t>(0, {tokens, outputs}), tokens,
                             outputs, inputs, call.parallel_for());
          }};
}

Operator gate_up_swiglu(int64_t hidden, int64_t intermediate, const AnonymousMemory& activated) {
  return {"GateUpSwiGlu", {kUint8, kFloat, kUint8, kFloat}, {kUint8, kFloat}, [=, &activated](const KernelCall& call) {
            const int64_t tokens = call.elements(0) / hidden;
            auto* out = call.output<uint8_t>(0, {tokens, intermediate});
            auto* scale = call.output<float>(1, {tokens});
            const auto* packed = reinterpret_cast<const std::byte*>(call.input<uint8_t>(2));
            cpu::gate_up_swiglu(call.input<uint8_t>(0), call.input<float>(1), packed, call.input<float>(3),
                                activated.as<float>(), out, scale, tokens, intermediate, hidden, call.parallel_for());
          }};
}

}  // namespace

AnonymousMemory activated_memory(const model::ModelSpec& spec, int32_t batch_tokens) {
  const int64_t floats = cpu::activated_size(batch_tokens, spec.intermediate_size);
  return AnonymousMemory(static_cast<uint64_t>(floats) * sizeof(float));
}

void add_int8_ops(CustomOps& ops, const model::ModelSpec& spec, const AttentionMemory& attention,
                  const AnonymousMemory& activated) {
  ops.add(rms_norm_quantize(spec.hidden_size, spec.rms_norm_eps));
  ops.add(add_rms_norm_quantize(spec.hidden_size, spec.rms_norm_eps));
  ops.add(paged_attention_quantized(spec, attention));
  ops.add(swiglu_quantize(spec.intermediate_size));
  ops.add(dequantize(spec.hidden_size));
  ops.add(int8_matmul());
  ops.add(gate_up_swiglu(spec.hidden_size, spec.intermediate_size, activated));
}

}  // namespace saferoute::ort
