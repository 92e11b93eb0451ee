// Attention as a pass calls it, over a batch of attention_prompts.h; in the emulation the device's memory is ordinary
// memory.
#pragma once

#include <cstdint>
#include <vector>

#include "cuda/attention_prompts.h"
#include "cuda/device_test.h"
#include "cuda/paged_attention.h"

namespace saferoute::cuda {

// A batch in device memory, and what attention made of it.
class AttentionOnDevice {
 public:
  explicit AttentionOnDevice(const AttentionBatch& batch)
      : qkv_(batch.qkv),
        memory_(batch.memory),
        pages_(batch.pages),
        page_offsets_(batch.page_offsets),
        row_offsets_(batch.row_offsets),
        row_starts_(batch.row_starts),
        out_(static_cast<int64_t>(batch.out_size())),
        scratch_(attention_scratch_bytes(batch.shape.head_dim) / static_cast<int64_t>(sizeof(float))),
        batch_(batch) {}

  void attend(KeySpread spread, cudaStream_t stream) {
    const KvLayer kv{.base = reinterpret_cast<std::byte*>(memory_.data() + batch_.layer_elements()),
                     .page_bytes = 2 * batch_.layer_elements() * static_cast<int64_t>(sizeof(uint16_t)),
                     .kv_heads = batch_.shape.kv_heads,
                     .head_dim = batch_.shape.head_dim};
    const BatchView view{.tokens = nullptr,
                         .token_row = nullptr,
                         .positions = nullptr,
                         .row_offsets = row_offsets_.data(),
                         .row_starts = row_starts_.data(),
                         .pages = pages_.data(),
                         .page_offsets = page_offsets_.data(),
                         .token_count = batch_.tokens,
                         .row_count = batch_.rows(),
                         .page_count = static_cast<int32_t>(batch_.pages.size())};
    const AttentionParameters parameters{.heads = batch_.shape.heads,
                                         .scale = AttentionPrompts::scale(batch_.shape),
                                         .max_keys = batch_.max_keys,
                                         .which = batch_.which,
                                         .spread = spread};
    paged_attention(reinterpret_cast<const Bf16*>(qkv_.data()), kv, view, parameters, scratch_.data(),
                    reinterpret_cast<Bf16*>(out_.data()), stream);
  }

  std::vector<uint16_t> outcomes() { return out_.read(); }

 private:
  DeviceVector<uint16_t> qkv_, memory_;
  DeviceVector<int32_t> pages_, page_offsets_, row_offsets_, row_starts_;
  DeviceVector<uint16_t> out_;
  DeviceVector<float> scratch_;
  const AttentionBatch& batch_;
};

}  // namespace saferoute::cuda
