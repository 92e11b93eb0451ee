// Tests that need a GPU: they skip, saying why, where there is none, and fail instead where SAFEROUTE_REQUIRE_GPU is
// set, so that a run on a GPU machine proves that they ran.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include "cuda/check.h"
#include "cuda/device_buffer.h"

namespace saferoute::cuda {

class DeviceTest : public testing::Test {
 protected:
  void SetUp() override {
    int count = 0;
    const cudaError_t status = cudaGetDeviceCount(&count);
    if (status == cudaSuccess && count > 0) {
      check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "create a stream");
      return;
    }
    cudaGetLastError();
    const std::string why = status == cudaSuccess ? "no device" : cudaGetErrorString(status);
    if (std::getenv("SAFEROUTE_REQUIRE_GPU") != nullptr) FAIL() << "a GPU is required: " << why;
    GTEST_SKIP() << "no GPU: " << why;
  }

  // A kernel's failure belongs to the test that launched it.
  void TearDown() override {
    if (stream_ == nullptr) return;
    EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess) << cudaGetErrorString(cudaPeekAtLastError());
    cudaStreamDestroy(stream_);
  }

  void synchronize() { check(cudaStreamSynchronize(stream_), "wait for the stream"); }

  // 90 on Hopper. Only after SetUp.
  static int compute_capability() {
    int device = 0, major = 0, minor = 0;
    check(cudaGetDevice(&device), "current device");
    check(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "compute capability");
    check(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device), "compute capability");
    return 10 * major + minor;
  }

  cudaStream_t stream_ = nullptr;  // does not wait for the default stream
};

// Device memory that a test owns. Its bytes are all ones until they are written: NaN in every float type, so that what
// a kernel leaves out shows.
template <typename T>
class DeviceVector {
 public:
  explicit DeviceVector(int64_t size) : size_(size) {
    check(cudaMalloc(&data_, bytes() > 0 ? bytes() : 1), "allocate");
    check(cudaMemset(data_, 0xFF, bytes()), "poison");
    check(cudaDeviceSynchronize(), "poison");
  }
  explicit DeviceVector(const std::vector<T>& values) : DeviceVector(static_cast<int64_t>(values.size())) {
    check(cudaMemcpy(data_, values.data(), bytes(), cudaMemcpyHostToDevice), "upload");
    // From memory that is not pinned, the copy returns before all of it has arrived; a test's stream does not wait.
    check(cudaDeviceSynchronize(), "upload");
  }
  ~DeviceVector() { cudaFree(data_); }
  DeviceVector(const DeviceVector&) = delete;
  DeviceVector& operator=(const DeviceVector&) = delete;

  T* data() const { return static_cast<T*>(data_); }
  int64_t size() const { return size_; }
  DeviceBuffer<T> buffer() const { return {.data = data(), .size = size_}; }

  // Waits for all work on the device.
  std::vector<T> read() const {
    std::vector<T> values(static_cast<size_t>(size_));
    check(cudaDeviceSynchronize(), "wait for the device");
    check(cudaMemcpy(values.data(), data_, bytes(), cudaMemcpyDeviceToHost), "download");
    return values;
  }

 private:
  size_t bytes() const { return static_cast<size_t>(size_) * sizeof(T); }

  int64_t size_ = 0;
  void* data_ = nullptr;
};

}  // namespace saferoute::cuda
