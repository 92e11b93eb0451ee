// A guard's weights, from its checkpoint to where a pass reads them: on the device, or in pinned host memory from where
// they are streamed.
#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

#include <cuda_runtime_api.h>

#include "cuda/decoder_weights.h"
#include "cuda/device_arena.h"
#include "cuda/device_upload.h"
#include "cuda/element_types.h"
#include "cuda/guard_source.h"
#include "cuda/layer_streamer.h"
#include "cuda/pinned_memory.h"
#include "cuda/router_layout.h"
#include "model/tensor_table.h"

namespace saferoute::cuda {

// What a pass reads beside its layers.
struct HeadPointers {
  const Bf16* embedding = nullptr;           // (vocab, hidden); in pinned memory where the plan says so
  const float* inverse_frequency = nullptr;  // (head_dim / 2)
  const float* final_norm = nullptr;         // (hidden)
  const Bf16* verdict_rows = nullptr;        // (verdict_tokens, hidden)
  const std::byte* router = nullptr;         // packed; null where the guard carries no router
};

// Owned by a backend; made, used and destroyed on its thread. The arena outlives it.
class WeightStore final : public DecoderLayers {
 public:
  // Reads the checkpoint layer by layer, each checked, converted and sent to the device while the next is read;
  // releases its pages as it goes. All stands when it returns. Throws Error(kCheckpoint | kNotFinite | kUnsupported)
  // for what the files hold, Error(kAborted) after a stop request, Error(kMemory | kBackend).
  WeightStore(const GuardSource& source, std::shared_ptr<DeviceArena> arena, size_t guard, std::stop_token stop);

  DecoderLayer acquire(int32_t index, cudaStream_t stream) override;
  void release(int32_t index, cudaStream_t stream) override;
  bool are_resident() const override { return streamer_ == nullptr; }

  // What a pass that ended early has acquired counts for nothing; the next begins with the first layer.
  void rewind(cudaStream_t stream);

  const HeadPointers& head() const { return head_; }
  const RouterLayout& router_layout() const { return arena_->plan(guard_).demand.router; }

 private:
  void load_head(const GuardSource& source, const model::TensorTable& table, DeviceUpload& upload);
  void load_embedding(const GuardSource& source, const model::TensorTable& table, DeviceUpload& upload,
                      const std::stop_token& stop);
  void load_layers(const GuardSource& source, const model::TensorTable& table, DeviceUpload& upload,
                   const std::stop_token& stop);
  DecoderLayer pointers(const std::byte* block) const;

  std::shared_ptr<DeviceArena> arena_;
  size_t guard_;
  HeadPointers head_;
  const std::byte* layers_ = nullptr;        // (standing layers, layer bytes), on the device
  PinnedMemory streamed_;                    // (streamed layers, layer bytes)
  PinnedMemory embedding_;                   // (vocab, hidden), where the plan says so
  std::unique_ptr<LayerStreamer> streamer_;  // null where every layer stands
};

}  // namespace saferoute::cuda
