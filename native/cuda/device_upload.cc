#include "cuda/device_upload.h"

#include <utility>

#include "cuda/check.h"
#include "engine/error.h"

namespace saferoute::cuda {

DeviceUpload::DeviceUpload(std::stop_token stop) : stop_(std::move(stop)) {
  try {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream for weights");
    for (Piece& piece : pieces_) {
      piece.memory = PinnedMemory(kPackPieceBytes, "weights on their way");
      check(cudaEventCreateWithFlags(&piece.copied, cudaEventDisableTiming), "making an event");
    }
  } catch (...) {
    destroy();
    throw;
  }
}

DeviceUpload::~DeviceUpload() { destroy(); }

void DeviceUpload::destroy() {
  if (stream_ != nullptr) cudaStreamSynchronize(stream_);
  for (const Piece& piece : pieces_) {
    if (piece.copied != nullptr) cudaEventDestroy(piece.copied);
  }
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

void DeviceUpload::begin(std::byte* target) {
  send();
  target_ = target;
}

std::span<std::byte> DeviceUpload::next(uint64_t offset, uint64_t bytes) {
  if (stop_.stop_requested()) throw Error(ErrorCode::kAborted, "the load was stopped");
  send();
  current_ = (current_ + 1) % kPieces;
  check(cudaEventSynchronize(pieces_[current_].copied), "copying weights to the device");
  offset_ = offset;
  bytes_ = bytes;
  return pieces_[current_].memory.span().first(bytes);
}

void DeviceUpload::send() {
  if (bytes_ == 0) return;
  const Piece& piece = pieces_[current_];
  check(cudaMemcpyAsync(target_ + offset_, piece.memory.data(), bytes_, cudaMemcpyHostToDevice, stream_),
        "copying weights to the device");
  check(cudaEventRecord(piece.copied, stream_), "recording a copy of weights");
  bytes_ = 0;
}

void DeviceUpload::finish() {
  send();
  check(cudaStreamSynchronize(stream_), "copying weights to the device");
}

}  // namespace saferoute::cuda
