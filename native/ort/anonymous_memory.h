// Memory straight from the system: aligned for any vector load, taken only as it is touched, and given back whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace saferoute::ort {

// Move-only. Reads as zeros until it is written. In huge pages where the system has some, since what lies here is read
// from end to end in every pass.
class AnonymousMemory {
 public:
  AnonymousMemory() = default;

  // Throws Error(kMemory) where the system refuses.
  explicit AnonymousMemory(uint64_t bytes);
  AnonymousMemory(AnonymousMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  AnonymousMemory& operator=(AnonymousMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~AnonymousMemory();

  std::byte* data() const { return data_; }  // (bytes)
  uint64_t bytes() const { return bytes_; }

  template <typename T>
  T* as() const {
    return reinterpret_cast<T*>(data_);
  }

 private:
  std::byte* data_ = nullptr;
  uint64_t bytes_ = 0;
};

}  // namespace saferoute::ort
