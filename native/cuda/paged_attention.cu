#include <cmath>
#include <limits>

#include "cuda/launch.cuh"
#include "cuda/paged_attention.h"
#include "cuda/paged_attention_kernel.cuh"

namespace saferoute::cuda {
namespace {

// As plan_attention asks for them.
int32_t multiprocessors_for(KeySpread spread) {
  if (spread == KeySpread::kNever) return 0;
  return spread == KeySpread::kWherePossible ? std::numeric_limits<int32_t>::max() : multiprocessors();
}

template <int kDim>
void run(const AttentionArguments& arguments, const AttentionGrid& grid, cudaStream_t stream) {
  using Block = AttentionBlock<kDim>;
  const auto slots = static_cast<unsigned>(grid.slots), kv_heads = static_cast<unsigned>(arguments.kv_heads);
  launch_with_shared_memory("paged_attention", paged_attention_kernel<kDim>,
                            dim3{slots, kv_heads, static_cast<unsigned>(grid.chunks)}, Block::kThreads,
                            Block::kSharedBytes, stream, arguments);
  if (!arguments.partial_sums) return;
  launch("join_attention", join_attention_kernel<kDim>, dim3{slots, kv_heads, kAttentionQueries / kJoinQueries},
         kJoinThreads, stream, arguments);
}

}  // namespace

void paged_attention(const Bf16* qkv, const KvLayer& kv, const BatchView& batch, const AttentionParameters& parameters,
                     float* scratch, Bf16* out, cudaStream_t stream) {
  const AttentionSizes sizes{.heads = parameters.heads,
                             .kv_heads = kv.kv_heads,
                             .head_dim = kv.head_dim,
                             .token_count = batch.token_count,
                             .row_count = batch.row_count,
                             .max_keys = parameters.max_keys,
                             .which = parameters.which};
  require_attendable(sizes);
  if (batch.token_count == 0 || batch.row_count == 0) return;

  const AttentionGrid grid = plan_attention(sizes, multiprocessors_for(parameters.spread));
  const int32_t padded = padded_head_dim(kv.head_dim);
  const bool spread = grid.chunks > 1;
  const int64_t partial_queries = static_cast<int64_t>(kMaxSplitTiles) * kAttentionQueries;
  const AttentionArguments arguments{
      .queries = reinterpret_cast<const uint16_t*>(qkv),
      .keys = kv.base,
      .pages = batch.pages,
      .page_offsets = batch.page_offsets,
      .row_offsets = batch.row_offsets,
      .row_starts = batch.row_starts,
      .out = reinterpret_cast<uint16_t*>(out),
      .partial_sums = spread ? scratch : nullptr,
      .partial_weights = spread ? reinterpret_cast<float2*>(scratch + partial_queries * padded) : nullptr,
      .page_bytes = kv.page_bytes,
      .chunks = grid.chunks,
      .rows = batch.row_count,
      .heads = parameters.heads,
      .kv_heads = kv.kv_heads,
      .head_dim = kv.head_dim,
      .query_stride = (parameters.heads + 2 * kv.kv_heads) * kv.head_dim,
      .scale_log2 = static_cast<float>(parameters.scale * M_LOG2E),
      .last_only = parameters.which == AttentionQueries::kLastOfRow};
  switch (padded) {
    case 64:
      return run<64>(arguments, grid, stream);
    case 128:
      return run<128>(arguments, grid, stream);
    default:
      return run<256>(arguments, grid, stream);
  }
}

}  // namespace saferoute::cuda
