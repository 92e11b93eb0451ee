#include "cuda/layer_streamer.h"

#include <string>
#include <utility>

#include "cuda/check.h"
#include "engine/error.h"

namespace saferoute::cuda {

LayerStreamer::LayerStreamer(StreamSchedule schedule, const std::byte* source, std::byte* slots, uint64_t layer_bytes)
    : schedule_(std::move(schedule)), source_(source), slot_base_(slots), layer_bytes_(layer_bytes) {
  try {
    check(cudaStreamCreateWithFlags(&copies_, cudaStreamNonBlocking), "making a stream for copies");
    slots_.resize(static_cast<size_t>(schedule_.slots()));
    for (Slot& slot : slots_) {
      check(cudaEventCreateWithFlags(&slot.copied, cudaEventDisableTiming), "making an event");
      check(cudaEventCreateWithFlags(&slot.read, cudaEventDisableTiming), "making an event");
    }
    for (int32_t index = 0; index < schedule_.slots(); ++index) fill(index);
  } catch (...) {
    destroy();
    throw;
  }
}

LayerStreamer::~LayerStreamer() { destroy(); }

void LayerStreamer::destroy() {
  if (copies_ != nullptr) cudaStreamSynchronize(copies_);
  for (const Slot& slot : slots_) {
    if (slot.copied != nullptr) cudaEventDestroy(slot.copied);
    if (slot.read != nullptr) cudaEventDestroy(slot.read);
  }
  if (copies_ != nullptr) cudaStreamDestroy(copies_);
}

void LayerStreamer::fill(int32_t index) {
  const auto slot = static_cast<size_t>(schedule_.slot(index));
  check(cudaMemcpyAsync(slot_base_ + slot * layer_bytes_, source_ + static_cast<uint64_t>(index) * layer_bytes_,
                        layer_bytes_, cudaMemcpyHostToDevice, copies_),
        "copying a layer to the device");
  check(cudaEventRecord(slots_[slot].copied, copies_), "recording the copy of a layer");
}

const std::byte* LayerStreamer::acquire(int32_t index, cudaStream_t stream) {
  if (index != turn_) {
    throw Error(ErrorCode::kInvalidArgument, "streamed layer " + std::to_string(index) +
                                                 " is taken out of turn, it is that of layer " + std::to_string(turn_));
  }
  const auto slot = static_cast<size_t>(schedule_.slot(index));
  check(cudaStreamWaitEvent(stream, slots_[slot].copied), "waiting for the copy of a layer");
  return slot_base_ + slot * layer_bytes_;
}

void LayerStreamer::release(int32_t index, cudaStream_t stream) {
  const Slot& slot = slots_[static_cast<size_t>(schedule_.slot(index))];
  check(cudaEventRecord(slot.read, stream), "recording the use of a layer");
  check(cudaStreamWaitEvent(copies_, slot.read), "waiting for the use of a layer");
  fill(schedule_.refill(index));
  turn_ = (index + 1) % schedule_.streamed();
}

// What the pass has launched may still read the slots.
void LayerStreamer::rewind(cudaStream_t stream) {
  turn_ = 0;
  check(cudaEventRecord(slots_.front().read, stream), "recording the end of a pass");
  check(cudaStreamWaitEvent(copies_, slots_.front().read), "waiting for the end of a pass");
  for (int32_t index = 0; index < schedule_.slots(); ++index) fill(index);
}

}  // namespace saferoute::cuda
