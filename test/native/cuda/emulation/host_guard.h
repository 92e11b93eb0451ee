// A whole guard for the emulation: what loaded_guard.h is on a device, with every buffer in ordinary memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cuda/batch_upload.h"
#include "cuda/decoder.h"
#include "cuda/golden_checkpoint.h"
#include "cuda/pass_buffers.h"
#include "model/tensor_table.h"
#include "router/network.h"

namespace saferoute::cuda {

// As device memory is: at a multiple of kDeviceAlignment, and not zero.
class Memory {
 public:
  explicit Memory(uint64_t bytes) : lines_((bytes + sizeof(Line) - 1) / sizeof(Line)) {
    for (Line& line : lines_) std::fill(std::begin(line.bytes), std::end(line.bytes), std::byte{0xff});
  }
  std::byte* data() { return reinterpret_cast<std::byte*>(lines_.data()); }

 private:
  struct alignas(kDeviceAlignment) Line {
    std::byte bytes[kDeviceAlignment];
  };
  std::vector<Line> lines_;
};

// A guard as the loader lays it out, in ordinary memory. Decoder calls it for its layers.
class HostGuard final : public DecoderLayers {
 public:
  HostGuard(const test::GoldenCheckpoint& golden, Precision precision, const PassLimits& limits);

  DecoderLayer acquire(int32_t index, cudaStream_t) override;
  void release(int32_t, cudaStream_t) override {}
  bool are_resident() const override { return true; }

  // Where decoder().launch() finds a checked batch.
  BatchView upload(const engine::Batch& batch, const PassShape& shape);
  BatchView compacted(const PassShape& shape);

  void launch(const BatchView& view, int32_t keys, const HardRule& rule = {}) {
    decoder_->launch(view, keys, rule, {}, nullptr);
  }

  template <typename T>
  std::vector<T> read(const Extent& extent, size_t count) const {
    const T* const values = decoder_->at<T>(extent);
    return {values, values + count};
  }

  const PassBuffers& buffers() const { return buffers_; }
  const PassLimits& limits() const { return limits_; }
  const Decoder& decoder() const { return *decoder_; }

 private:
  static constexpr int32_t kPages = 64;

  const model::ModelSpec spec_;
  const LayerLayout layout_;
  const model::TensorTable table_;
  const router::Network network_;
  const RouterLayout router_;
  std::vector<Memory> layers_;
  std::unique_ptr<Memory> head_, scratch_;
  Memory embedding_, pages_;
  PassLimits limits_;
  PassBuffers buffers_;
  Gemm gemm_;
  std::unique_ptr<Decoder> decoder_;
};

}  // namespace saferoute::cuda
