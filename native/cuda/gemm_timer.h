// Times work on a stream by the device's own clock. For warm-up: it synchronises.
#pragma once

#include <algorithm>
#include <cstddef>

#include <cuda_runtime_api.h>

#include "cuda/check.h"

namespace saferoute::cuda {

class GemmTimer {
 public:
  explicit GemmTimer(cudaStream_t stream) : stream_(stream) {
    check(cudaEventCreate(&from_), "create an event");
    if (const cudaError_t status = cudaEventCreate(&to_); status != cudaSuccess) {
      cudaEventDestroy(from_);
      check(status, "create an event");
    }
  }
  ~GemmTimer() {
    cudaEventDestroy(from_);
    cudaEventDestroy(to_);
  }
  GemmTimer(const GemmTimer&) = delete;
  GemmTimer& operator=(const GemmTimer&) = delete;

  // Milliseconds of one call of launch(turn), turn = 0, 1, …, which puts work on the stream. The first call is for
  // the count alone: as many follow as take some two milliseconds, 3 to 32.
  template <typename Launch>
  float mean_ms(Launch launch) {
    const float once_ms = timed(1, launch);
    const size_t turns = static_cast<size_t>(std::clamp(kWantedMs / std::max(once_ms, kShortestMs), 3.0f, 32.0f));
    return timed(turns, launch) / static_cast<float>(turns);
  }

 private:
  static constexpr float kWantedMs = 2.0f;
  static constexpr float kShortestMs = 0.001f;

  template <typename Launch>
  float timed(size_t turns, Launch& launch) {
    check(cudaEventRecord(from_, stream_), "record an event");
    for (size_t turn = 0; turn < turns; ++turn) launch(turn);
    check(cudaEventRecord(to_, stream_), "record an event");
    check(cudaEventSynchronize(to_), "wait for an event");
    float ms = 0;
    check(cudaEventElapsedTime(&ms, from_, to_), "read an event");
    return ms;
  }

  cudaStream_t stream_;
  cudaEvent_t from_ = nullptr;
  cudaEvent_t to_ = nullptr;
};

}  // namespace saferoute::cuda
