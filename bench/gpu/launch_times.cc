#include "gpu/launch_times.h"

#include <random>

#include "cuda/graph.h"
#include "cuda/stream.h"

namespace saferoute::bench {
namespace {

constexpr int kLaunches = 50;  // in a graph
constexpr int kWarmUps = 5;
constexpr int kSamples = 100;
constexpr size_t kFlushBytes = 512 << 20;  // several times any L2; takes longer than the host does to launch a pass

// Microseconds between two events around `work`, on each turn after `before`.
std::vector<double> event_times(const cuda::Stream& stream, const std::function<void()>& before,
                                const std::function<void(cudaStream_t)>& work) {
  cudaEvent_t begin = nullptr, end = nullptr;
  cuda::check(cudaEventCreate(&begin), "make an event");
  cuda::check(cudaEventCreate(&end), "make an event");
  std::vector<double> samples;
  for (int sample = -kWarmUps; sample < kSamples; ++sample) {
    before();
    cuda::check(cudaEventRecord(begin, stream.get()), "record");
    work(stream.get());
    cuda::check(cudaEventRecord(end, stream.get()), "record");
    stream.wait();
    float ms = 0;
    cuda::check(cudaEventElapsedTime(&ms, begin, end), "read the time");
    if (sample >= 0) samples.push_back(1000.0 * ms);
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  return samples;
}

}  // namespace

std::vector<float> noise(size_t count, float scale, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, scale);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

std::vector<cuda::Bf16> bf16_noise(size_t count, float scale, uint32_t seed) {
  std::vector<cuda::Bf16> values;
  for (const float value : noise(count, scale, seed)) values.push_back(__float2bfloat16(value));
  return values;
}

std::vector<double> launch_times(const std::function<void(cudaStream_t)>& launch) {
  const cuda::Stream stream;
  const cuda::Graph graph = cuda::Graph::capture(stream.get(), [&] {
    for (int i = 0; i < kLaunches; ++i) launch(stream.get());
  });
  std::vector<double> samples = event_times(stream, [] {}, [&](cudaStream_t on) { graph.launch(on); });
  for (double& sample : samples) sample /= kLaunches;
  return samples;
}

std::vector<double> call_times(const std::function<void(cudaStream_t)>& launch) {
  const cuda::Stream stream;
  return event_times(stream, [&] { stream.wait(); }, launch);
}

std::vector<double> cold_times(const std::function<void(cudaStream_t)>& launch) {
  const cuda::Stream stream;
  void* flush = nullptr;
  cuda::check(cudaMalloc(&flush, kFlushBytes), "allocate");
  std::vector<double> samples =
      event_times(stream, [&] { cuda::check(cudaMemsetAsync(flush, 1, kFlushBytes, stream.get()), "flush"); }, launch);
  cudaFree(flush);
  return samples;
}

}  // namespace saferoute::bench
