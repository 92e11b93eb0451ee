// One guard on the device: its weights, the memory of its passes, and the pinned memory through which batches go up and
// readings come down.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>

#include <cuda_runtime_api.h>

#include "cuda/batch_upload.h"
#include "cuda/compaction.h"
#include "cuda/cublas_lt.h"
#include "cuda/decoder.h"
#include "cuda/device_arena.h"
#include "cuda/gemm.h"
#include "cuda/pinned_memory.h"
#include "cuda/weight_store.h"
#include "engine/backend.h"

namespace saferoute::cuda {

// Made on its lane's thread. Used there, or by the other guard's lane for a cascade while its own lane rests: one
// thread and one stream at a time. Whoever launches a pass waits for it before the next upload.
class LoadedGuard {
 public:
  // Loads the weights. Throws as WeightStore, and Error(kInvalidArgument) for verdict tokens that are all of one kind.
  LoadedGuard(const GuardSource& source, std::shared_ptr<DeviceArena> arena, size_t guard, std::stop_token stop);
  LoadedGuard(const LoadedGuard&) = delete;
  LoadedGuard& operator=(const LoadedGuard&) = delete;

  const GuardPlan& plan() const { return plan_; }
  const PassLimits& limits() const { return limits_; }
  const Decoder& decoder() const { return *decoder_; }
  bool has_router() const { return !weights_.router_layout().layers.empty(); }
  bool is_resident() const { return weights_.are_resident(); }
  int32_t device() const { return arena_->device(); }

  // Throws as check_batch(): before the batch's shape is asked for.
  void check(const engine::Batch& batch) const { check_batch(batch, limits_, plan_.kv_pages); }

  // Makes the page copies of a checked batch and sends it to where view(shape) looks for it. `shape` is no smaller than
  // the batch's.
  void upload(const engine::Batch& batch, const PassShape& shape, cudaStream_t stream);
  BatchView view(const PassShape& shape) const;

  // Where the hard rows of a cascade are gathered, for at most `shape` of them.
  BatchView compacted_view(const PassShape& shape) const;

  // Sends what decides which of the rows are hard; those that a graph has beyond them never are.
  void upload_rule(float threshold, std::span<const RowPlan> rows, cudaStream_t stream);
  HardRule rule() const;

  // Launches a pass over what lies at `view`.
  void launch(const BatchView& view, int32_t max_keys, const HardRule& rule, std::stop_token stop, cudaStream_t stream);

  // Begins the copy of all readings to the host, and of the features of `rows` rows. Once they are there, read() takes
  // them: of the first `rows` rows.
  void download(cudaStream_t stream) const;
  void download_features(int32_t rows, cudaStream_t stream) const;
  engine::BatchReading read(int32_t rows, bool want_features) const;

  // Of the last compaction into this guard, once its readings are on the host.
  const CompactionCounts& counts() const;
  std::span<const int32_t> taken(int32_t rows) const;

  // Where a compaction into this guard leaves these.
  CompactionCounts* counts_on_device() const { return decoder_->at<CompactionCounts>(decoder_->buffers().counts); }
  int32_t* taken_on_device() const { return decoder_->at<int32_t>(decoder_->buffers().taken); }

  // Picks the fastest algorithm of every product up to a full pass, on what the last pass has left in the buffers.
  // Nothing where layers are streamed: their copies take longer than any product. Ends early with Error(kAborted).
  void tune(std::stop_token stop, cudaStream_t stream);

  // Hardness of one feature (hidden), by a guard_head without a guard: waits for the device.
  float route(std::span<const float> feature, cudaStream_t stream);

 private:
  DecoderMemory memory() const;
  const std::byte* result(const Extent& extent) const;

  const std::shared_ptr<DeviceArena> arena_;
  const size_t guard_;
  const GuardPlan& plan_;
  const PassLimits limits_;
  const uint32_t verdict_tokens_;
  WeightStore weights_;
  Gemm gemm_;
  std::byte* const scratch_;  // (buffers.bytes)
  DeviceBuffer<std::byte> pages_;
  std::optional<Decoder> decoder_;
  PinnedMemory batch_;     // BatchBlock
  PinnedMemory rule_;      // (limits.rows) RowPlan, then the threshold
  PinnedMemory results_;   // from logits to counts, as in PassBuffers
  PinnedMemory features_;  // (limits.rows, hidden), f32
};

}  // namespace saferoute::cuda
