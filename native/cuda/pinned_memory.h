// Host memory that the device reaches by itself: it is never paged out, and copies from it run beside the host.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace saferoute::cuda {

// Move-only. Also readable by kernels, at the same address.
class PinnedMemory {
 public:
  PinnedMemory() = default;

  // Throws Error(kMemory) that names `what` where the system refuses; Error(kBackend) where the device fails.
  PinnedMemory(uint64_t bytes, const char* what);
  ~PinnedMemory();
  PinnedMemory(PinnedMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  PinnedMemory& operator=(PinnedMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  std::byte* data() const { return data_; }  // (bytes)
  uint64_t bytes() const { return bytes_; }
  std::span<std::byte> span() const { return {data_, static_cast<size_t>(bytes_)}; }

 private:
  std::byte* data_ = nullptr;
  uint64_t bytes_ = 0;
};

}  // namespace saferoute::cuda
