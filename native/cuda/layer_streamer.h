// Layers that do not fit on the device: copied there from pinned host memory, one ahead of what is computed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <cuda_runtime_api.h>

#include "cuda/stream_schedule.h"

namespace saferoute::cuda {

// Owned by a WeightStore; used on its backend's thread. Copies run on a stream of their own; events order them against
// the pass, on the device alone: no call waits.
class LayerStreamer {
 public:
  // `source` holds the streamed layers in turn; `slots` is on the device.
  LayerStreamer(StreamSchedule schedule,
                const std::byte* source,  // (streamed, layer_bytes), pinned
                std::byte* slots,         // (slots, layer_bytes)
                uint64_t layer_bytes);
  ~LayerStreamer();
  LayerStreamer(const LayerStreamer&) = delete;
  LayerStreamer& operator=(const LayerStreamer&) = delete;

  const StreamSchedule& schedule() const { return schedule_; }

  // The block of streamed layer `index` (counted among the streamed ones), which work on `stream` from here on finds in
  // place. Throws Error(kInvalidArgument) unless it is the turn of that layer.
  const std::byte* acquire(int32_t index, cudaStream_t stream);

  // `stream` has been given all that reads the layer; its slot is filled again once that is done.
  void release(int32_t index, cudaStream_t stream);

  // Begins again with the first layer, whatever a pass that ended early left behind.
  void rewind(cudaStream_t stream);

 private:
  struct Slot {
    cudaEvent_t copied = nullptr;  // what the slot was last filled with is there
    cudaEvent_t read = nullptr;    // what the slot held has been read
  };

  void fill(int32_t index);
  void destroy();

  StreamSchedule schedule_;
  const std::byte* source_;
  std::byte* slot_base_;
  uint64_t layer_bytes_;
  cudaStream_t copies_ = nullptr;
  std::vector<Slot> slots_;
  int32_t turn_ = 0;  // the streamed layer that comes next
};

}  // namespace saferoute::cuda
