// A typed span of device memory. Owns nothing: the memory belongs to the DeviceArena that it was cut from, and outlives
// every use of the span.
#pragma once

#include <cstdint>

namespace saferoute::cuda {

template <typename T>
struct DeviceBuffer {
  T* data = nullptr;  // (size), on the device
  int64_t size = 0;   // elements

  int64_t bytes() const { return size * static_cast<int64_t>(sizeof(T)); }
  explicit operator bool() const { return data != nullptr; }
};

}  // namespace saferoute::cuda
