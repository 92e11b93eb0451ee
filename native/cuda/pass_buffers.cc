#include "cuda/pass_buffers.h"

#include <algorithm>

#include "cuda/attention_plan.h"
#include "cuda/batch_upload.h"

namespace saferoute::cuda {
namespace {

constexpr int64_t kF32 = 4;  // bytes of an element
constexpr int64_t kBf16 = 2;
constexpr int64_t kI32 = 4;
constexpr int64_t kByte = 1;

constexpr int64_t kCountWords = 8;

OperandExtent place_operand(BlockLayout& block, int64_t tokens, int64_t size, Precision precision) {
  if (precision == Precision::kBf16) return {.values = block.place(tokens * size, kBf16), .scales = {}};
  return {.values = block.place(tokens * size, kByte), .scales = block.place(tokens, kF32)};
}

}  // namespace

PassLimits pass_limits(const GuardDemand& demand) {
  return {.tokens = demand.batch_tokens, .rows = demand.batch_rows, .keys = demand.spec.max_positions};
}

PassBuffers pass_buffers(const GuardDemand& demand) {
  const model::ModelSpec& spec = demand.spec;
  // The last layer gathers a token of every row, and a row of a graph's padding is one too.
  const int64_t rows = demand.batch_rows;
  const int64_t tokens = std::max<int64_t>(demand.batch_tokens, rows);
  BlockLayout block;
  PassBuffers pass;
  const int64_t batch_elements = BatchBlock::most_elements(pass_limits(demand));
  pass.batch = block.place(batch_elements, kI32);
  pass.compacted = block.place(batch_elements, kI32);
  pass.residual = block.place(tokens * spec.hidden_size, kF32);
  pass.cos_sin = block.place(tokens * spec.head_dim, kF32);
  pass.normed = place_operand(block, tokens, spec.hidden_size, demand.precision);
  pass.qkv = block.place(tokens * spec.qkv_size(), kBf16);
  pass.attended = block.place(tokens * spec.query_size(), kBf16);
  if (demand.precision == Precision::kFp8) {
    pass.attended_fp8 = place_operand(block, tokens, spec.query_size(), demand.precision);
  }
  pass.delta = block.place(tokens * spec.hidden_size, kF32);
  pass.gate_up = block.place(tokens * 2 * spec.intermediate_size, kBf16);
  pass.product = place_operand(block, tokens, spec.intermediate_size, demand.precision);
  pass.last_residual = block.place(rows * spec.hidden_size, kF32);
  pass.last_attended = block.place(rows * spec.query_size(), kBf16);
  pass.attention = block.place(attention_scratch_bytes(spec.head_dim), kByte);
  pass.head = block.place(guard_head_scratch_bytes(demand.router, spec.hidden_size, demand.batch_rows), kByte);
  pass.features = block.place(rows * spec.hidden_size, kF32);
  pass.logits = block.place(rows * demand.verdict_tokens, kF32);
  pass.hardness = block.place(rows, kF32);
  pass.hard = block.place(rows, kByte);
  pass.row_plan = block.place(rows, kByte);
  pass.taken = block.place(rows, kI32);
  pass.counts = block.place(kCountWords, kI32);
  pass.bytes = block.bytes();
  return pass;
}

}  // namespace saferoute::cuda
