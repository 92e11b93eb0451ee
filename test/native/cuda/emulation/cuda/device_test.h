// test/native/cuda/device_test.h on the CPU: the tests of ops run as they are, on ordinary memory.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

namespace saferoute::cuda {

class DeviceTest : public testing::Test {
 protected:
  cudaStream_t stream_ = nullptr;
};

// All ones until written, and at a multiple of 64 bytes.
template <typename T>
class DeviceVector {
 public:
  explicit DeviceVector(int64_t size) : size_(size), lines_(static_cast<size_t>(size) * sizeof(T) / sizeof(Line) + 1) {
    std::memset(lines_.data(), 0xFF, lines_.size() * sizeof(Line));
  }
  explicit DeviceVector(const std::vector<T>& values) : DeviceVector(static_cast<int64_t>(values.size())) {
    if (!values.empty()) std::memcpy(lines_.data(), values.data(), values.size() * sizeof(T));
  }

  T* data() { return reinterpret_cast<T*>(lines_.data()); }
  std::vector<T> read() {
    std::vector<T> values(static_cast<size_t>(size_));
    if (size_ > 0) std::memcpy(static_cast<void*>(values.data()), lines_.data(), values.size() * sizeof(T));
    return values;
  }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };

  int64_t size_;
  std::vector<Line> lines_;
};

}  // namespace saferoute::cuda
