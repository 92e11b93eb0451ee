#include "gpu/launch_times.h"

#include <random>

#include "cuda/graph.h"
#include "cuda/stream.h"

namespace saferoute::bench {
namespace {

constexpr int kLaunches = 50;  // in a graph
constexpr int kWarmUps = 5;
constexpr int kSamples = 100;

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
  cudaEvent_t begin = nullptr, end = nullptr;
  cuda::check(cudaEventCreate(&begin), "make an event");
  cuda::check(cudaEventCreate(&end), "make an event");
  std::vector<double> samples;
  for (int sample = -kWarmUps; sample < kSamples; ++sample) {
    cuda::check(cudaEventRecord(begin, stream.get()), "record");
    graph.launch(stream.get());
    cuda::check(cudaEventRecord(end, stream.get()), "record");
    stream.wait();
    float ms = 0;
    cuda::check(cudaEventElapsedTime(&ms, begin, end), "read the time");
    if (sample >= 0) samples.push_back(1000.0 * ms / kLaunches);
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  return samples;
}

}  // namespace saferoute::bench
