// A block's way from a packer to device memory: pieces are packed into pinned memory while those before them are
// copied.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stop_token>

#include <cuda_runtime_api.h>

#include "cuda/pinned_memory.h"
#include "cuda/weight_packing.h"

namespace saferoute::cuda {

// Lives while a guard is loaded; used on its thread.
class DeviceUpload final : public BlockSink {
 public:
  explicit DeviceUpload(std::stop_token stop);
  ~DeviceUpload() override;
  DeviceUpload(const DeviceUpload&) = delete;
  DeviceUpload& operator=(const DeviceUpload&) = delete;

  // What follows goes to the block at `target`, on the device.
  void begin(std::byte* target);

  // Throws Error(kAborted) after a stop request.
  std::span<std::byte> next(uint64_t offset, uint64_t bytes) override;

  // Returns once all is on the device.
  void finish();

 private:
  static constexpr size_t kPieces = 3;
  struct Piece {
    PinnedMemory memory;           // (kPackPieceBytes)
    cudaEvent_t copied = nullptr;  // what it held last is on the device
  };

  void send();
  void destroy();

  std::stop_token stop_;
  cudaStream_t stream_ = nullptr;
  std::array<Piece, kPieces> pieces_;
  size_t current_ = 0;  // the piece that is being packed, or was last
  std::byte* target_ = nullptr;
  uint64_t offset_ = 0;  // of what is being packed, in the block
  uint64_t bytes_ = 0;   // 0: nothing is
};

}  // namespace saferoute::cuda
