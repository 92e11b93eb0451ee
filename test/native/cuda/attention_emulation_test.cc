// The kernels of attention, run from their own source on the CPU: no GPU, no nvcc. What this proves is the arithmetic
// of indices, barriers and copies; not that the instructions are the GPU's.
#include <array>

#include "cuda/attention_checks.h"
#include "cuda/paged_attention_kernel.cuh"

namespace saferoute::cuda {

alignas(128) std::byte attention_shared[AttentionBlock<256>::kSharedBytes];
std::byte* const emulated_shared_memory = attention_shared;

namespace {

template <simt::Order kOrder>
class Emulated : public testing::Test {
 protected:
  static std::vector<uint16_t> run(const AttentionBatch& batch, bool spread) {
    switch (padded_head_dim(batch.shape.head_dim)) {
      case 64:
        return run_padded<64>(batch, spread);
      case 128:
        return run_padded<128>(batch, spread);
      default:
        return run_padded<256>(batch, spread);
    }
  }

 private:
  template <int kDim>
  static std::vector<uint16_t> run_padded(const AttentionBatch& batch, bool spread) {
    const AttentionSizes sizes{.heads = batch.shape.heads,
                               .kv_heads = batch.shape.kv_heads,
                               .head_dim = batch.shape.head_dim,
                               .token_count = batch.tokens,
                               .row_count = batch.rows(),
                               .max_keys = batch.max_keys,
                               .which = batch.which};
    // Devices without number spread whatever they can; one that has none never spreads.
    const AttentionGrid grid = plan_attention(sizes, spread ? std::numeric_limits<int32_t>::max() : 0);
    const auto partial_queries =
        static_cast<size_t>(grid.chunks) * grid.slots * batch.shape.kv_heads * kAttentionQueries;
    std::vector<float4> partial_sums(spread ? partial_queries * kDim / 4 : 0, float4{NAN, NAN, NAN, NAN});
    std::vector<float2> partial_weights(spread ? partial_queries : 0, float2{NAN, NAN});
    std::vector<uint16_t> out(batch.out_size(), kUnwritten);
    const AttentionArguments arguments{
        .queries = batch.qkv.data(),
        .keys = reinterpret_cast<const std::byte*>(batch.memory.data() + batch.layer_elements()),
        .pages = batch.pages.data(),
        .page_offsets = batch.page_offsets.data(),
        .row_offsets = batch.row_offsets.data(),
        .row_starts = batch.row_starts.data(),
        .out = out.data(),
        .partial_sums = spread ? &partial_sums[0].x : nullptr,
        .partial_weights = partial_weights.data(),
        .page_bytes = 2 * batch.layer_elements() * static_cast<int64_t>(sizeof(uint16_t)),
        .chunks = grid.chunks,
        .rows = batch.rows(),
        .heads = batch.shape.heads,
        .kv_heads = batch.shape.kv_heads,
        .head_dim = batch.shape.head_dim,
        .query_stride = batch.query_stride(),
        .scale_log2 = static_cast<float>(AttentionPrompts::scale(batch.shape) * M_LOG2E),
        .last_only = batch.which == AttentionQueries::kLastOfRow};
    const auto slots = static_cast<unsigned>(grid.slots), kv_heads = static_cast<unsigned>(arguments.kv_heads);
    std::fill(std::begin(attention_shared), std::end(attention_shared), std::byte{0xff});
    simt::run_grid({slots, kv_heads, static_cast<unsigned>(grid.chunks)}, AttentionBlock<kDim>::kThreads, kOrder,
                   [&] { paged_attention_kernel<kDim>(arguments); });
    if (spread) {
      simt::run_grid({slots, kv_heads, kAttentionQueries / kJoinQueries}, kJoinThreads, kOrder,
                     [&] { join_attention_kernel<kDim>(arguments); });
    }
    return out;
  }
};

using Runners = testing::Types<Emulated<simt::Order::kFirstWarpFirst>, Emulated<simt::Order::kLastWarpFirst>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Emulated, AttentionChecks, Runners);

}  // namespace
}  // namespace saferoute::cuda
