#include "cuda/stream.h"

#include <chrono>

#include "cuda/check.h"

namespace saferoute::cuda {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kAwake = std::chrono::milliseconds(3);

}  // namespace

Stream::Stream() {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "making a stream");
  const cudaError_t status = cudaEventCreateWithFlags(&done_, cudaEventBlockingSync | cudaEventDisableTiming);
  if (status != cudaSuccess) cudaStreamDestroy(stream_);
  check(status, "making an event");
}

Stream::~Stream() {
  drain();
  cudaEventDestroy(done_);
  cudaStreamDestroy(stream_);
}

void Stream::wait() const {
  check(cudaEventRecord(done_, stream_), "marking the end of a pass");
  const Clock::time_point asleep_from = Clock::now() + kAwake;
  cudaError_t status = cudaErrorNotReady;
  while (status == cudaErrorNotReady && Clock::now() < asleep_from) status = cudaEventQuery(done_);
  if (status == cudaErrorNotReady) status = cudaEventSynchronize(done_);
  check(status, "running a pass");
}

void Stream::drain() const noexcept {
  if (cudaStreamSynchronize(stream_) != cudaSuccess) cudaGetLastError();
}

}  // namespace saferoute::cuda
