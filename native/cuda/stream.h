// The order of a backend's work on the device, and how its thread waits for the end of it.
#pragma once

#include <cuda_runtime_api.h>

namespace saferoute::cuda {

// Owned by a backend; used on its thread.
class Stream {
 public:
  Stream();
  ~Stream();  // waits for what is under way
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  cudaStream_t get() const { return stream_; }

  // Waits until all that the stream was given is done. Short passes are waited for awake, since to be woken up takes as
  // long as a small guard's whole pass; longer ones asleep. Throws Error(kBackend) for what failed on the device.
  void wait() const;

  // Waits, whatever has failed: before memory that the device may still use is reused.
  void drain() const noexcept;

 private:
  cudaStream_t stream_ = nullptr;
  cudaEvent_t done_ = nullptr;
};

}  // namespace saferoute::cuda
