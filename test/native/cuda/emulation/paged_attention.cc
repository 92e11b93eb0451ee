// native/cuda/paged_attention.cu on the CPU: the same arguments for the same kernel, on a device so small that keys are
// never spread. Its shared memory is that of the attention tests.
#include "cuda/paged_attention.h"

#include <cmath>

// What its kernel shares is sized by the launch, and defined where the attention tests are.
#undef __shared__
#define __shared__
#include "cuda/paged_attention_kernel.cuh"

namespace saferoute::cuda {

void paged_attention(const Bf16* qkv, const KvLayer& kv, const BatchView& batch, const AttentionParameters& parameters,
                     float*, Bf16* out, cudaStream_t) {
  const AttentionSizes sizes{.heads = parameters.heads,
                             .kv_heads = kv.kv_heads,
                             .head_dim = kv.head_dim,
                             .token_count = batch.token_count,
                             .row_count = batch.row_count,
                             .max_keys = parameters.max_keys,
                             .which = parameters.which};
  require_attendable(sizes);
  const AttentionGrid grid = plan_attention(sizes, 0);
  const AttentionArguments arguments{.queries = reinterpret_cast<const uint16_t*>(qkv),
                                     .keys = kv.base,
                                     .pages = batch.pages,
                                     .page_offsets = batch.page_offsets,
                                     .row_offsets = batch.row_offsets,
                                     .row_starts = batch.row_starts,
                                     .out = reinterpret_cast<uint16_t*>(out),
                                     .partial_sums = nullptr,
                                     .partial_weights = nullptr,
                                     .page_bytes = kv.page_bytes,
                                     .chunks = grid.chunks,
                                     .rows = batch.row_count,
                                     .heads = parameters.heads,
                                     .kv_heads = kv.kv_heads,
                                     .head_dim = kv.head_dim,
                                     .query_stride = (parameters.heads + 2 * kv.kv_heads) * kv.head_dim,
                                     .scale_log2 = static_cast<float>(parameters.scale * M_LOG2E),
                                     .last_only = parameters.which == AttentionQueries::kLastOfRow};
  simt::run_grid({static_cast<unsigned>(grid.slots), static_cast<unsigned>(kv.kv_heads), 1},
                 AttentionBlock<64>::kThreads, simt::Order::kFirstWarpFirst,
                 [&] { paged_attention_kernel<64>(arguments); });
}

}  // namespace saferoute::cuda
