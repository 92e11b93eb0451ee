#include "cuda/emulation/host_guard.h"

#include "cuda/weight_packing.h"

namespace saferoute::cuda {
namespace {

class MemorySink final : public BlockSink {
 public:
  explicit MemorySink(std::byte* block) : block_(block) {}
  std::span<std::byte> next(uint64_t offset, uint64_t bytes) override { return {block_ + offset, bytes}; }

 private:
  std::byte* block_;
};

}  // namespace

HostGuard::HostGuard(const test::GoldenCheckpoint& golden, Precision precision, const PassLimits& limits)
    : spec_(golden.source.spec),
      layout_(layer_layout(spec_, precision)),
      table_(golden.source.paths, golden.source.entries),
      network_(router::load_network(model::TensorTable(golden.source.router->paths, golden.source.router->entries),
                                    golden.source.router->layers)),
      router_(plan_router(network_)),
      embedding_(embedding_bytes(spec_)),
      pages_(kPages * kv_page_bytes(spec_)) {
  GuardDemand demand;
  demand.spec = spec_;
  demand.precision = precision;
  demand.verdict_tokens = static_cast<int32_t>(golden.source.verdict_ids.size());
  demand.router = router_;
  demand.batch_tokens = limits.tokens;
  demand.batch_rows = limits.rows;
  limits_ = pass_limits(demand);
  buffers_ = pass_buffers(demand);
  const HeadLayout head = head_layout(spec_, demand.verdict_tokens, router_.bytes);
  head_ = std::make_unique<Memory>(head.bytes);
  scratch_ = std::make_unique<Memory>(buffers_.bytes);
  std::fill_n(scratch_->data(), buffers_.bytes, std::byte{0});
  for (int32_t index = 0; index < spec_.layers; ++index) {
    MemorySink sink(layers_.emplace_back(layout_.bytes).data());
    pack_layer(table_, spec_, precision, index, sink);
  }
  MemorySink head_sink(head_->data()), embedding_sink(embedding_.data());
  pack_head(table_, spec_, golden.source.verdict_ids, &network_, router_, head_sink);
  pack_embedding(table_, spec_, embedding_sink);
  const DecoderMemory memory{
      .embedding = reinterpret_cast<const Bf16*>(embedding_.data()),
      .inverse_frequency = reinterpret_cast<const float*>(head_->data() + head.inverse_frequency.offset),
      .head = {.final_norm = reinterpret_cast<const float*>(head_->data() + head.final_norm.offset),
               .verdict_rows = reinterpret_cast<const Bf16*>(head_->data() + head.verdict_rows.offset),
               .router = head_->data() + head.router.offset,
               .router_layout = &router_,
               .verdict_tokens = demand.verdict_tokens,
               .hidden = spec_.hidden_size,
               .eps = spec_.rms_norm_eps},
      .kv = pages_.data(),
      .page_bytes = static_cast<int64_t>(kv_page_bytes(spec_)),
      .scratch = scratch_->data(),
      .buffers = buffers_};
  decoder_ = std::make_unique<Decoder>(spec_, memory, *this, gemm_);
}

DecoderLayer HostGuard::acquire(int32_t index, cudaStream_t) {
  const std::byte* const block = layers_[static_cast<size_t>(index)].data();
  const auto floats = [&](const Extent& extent) {
    return extent.bytes == 0 ? nullptr : reinterpret_cast<const float*>(block + extent.offset);
  };
  const auto matrix = [&](const MatrixExtent& extent) {
    const std::byte* const values = block + extent.values.offset;
    if (extent.scales.bytes == 0) return Matrix{.bf16 = reinterpret_cast<const Bf16*>(values)};
    return Matrix{.fp8 = reinterpret_cast<const Fp8*>(values), .fp8_scales = floats(extent.scales)};
  };
  return {.input_norm = floats(layout_.input_norm),
          .qkv = matrix(layout_.qkv),
          .q_norm = floats(layout_.q_norm),
          .k_norm = floats(layout_.k_norm),
          .output = matrix(layout_.output),
          .post_norm = floats(layout_.post_norm),
          .gate_up = matrix(layout_.gate_up),
          .down = matrix(layout_.down)};
}

BatchView HostGuard::upload(const engine::Batch& batch, const PassShape& shape) {
  check_batch(batch, limits_, kPages);
  const BatchBlock block(shape, limits_.pages());
  auto* const memory = decoder_->at<int32_t>(buffers_.batch);
  block.pack(batch, {memory, buffers_.batch.bytes / sizeof(int32_t)});
  return block.view(memory);
}

BatchView HostGuard::compacted(const PassShape& shape) {
  return BatchBlock(shape, limits_.pages()).view(decoder_->at<int32_t>(buffers_.compacted));
}

}  // namespace saferoute::cuda
