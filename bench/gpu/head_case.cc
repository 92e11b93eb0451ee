#include "gpu/head_case.h"

#include <cstring>
#include <random>
#include <string>

#include <cuda_runtime_api.h>

#include "cuda/check.h"
#include "cuda/graph.h"
#include "cuda/guard_head.h"
#include "cuda/pinned_memory.h"
#include "cuda/stream.h"

namespace saferoute::bench {
namespace {

using cuda::check;

constexpr int kHidden = 2048;
constexpr int kVerdictTokens = 2;
constexpr int kMostRows = 256;
constexpr int kLaunches = 50;  // in a graph, so that the gaps between launches are the device's own
constexpr int kSamples = 100;

// Freed with the process: a bench is one.
template <typename T>
T* device_copy(const std::vector<T>& values) {
  void* data = nullptr;
  check(cudaMalloc(&data, values.size() * sizeof(T)), "allocate");
  check(cudaMemcpy(data, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice), "upload");
  return static_cast<T*>(data);
}

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

router::Network card_network() {
  router::Network network;
  int32_t inputs = kHidden;
  for (const int32_t outputs : {1024, 512, 256, 1}) {
    router::Layer layer;
    layer.inputs = inputs;
    layer.outputs = outputs;
    layer.weight = noise(static_cast<size_t>(inputs) * static_cast<size_t>(outputs), 0.02f, 3);
    layer.bias = noise(static_cast<size_t>(outputs), 0.02f, 4);
    layer.activation = outputs == 1 ? router::Activation::kNone : router::Activation::kGelu;
    network.layers.push_back(std::move(layer));
    inputs = outputs;
  }
  return network;
}

// Microseconds of each launch, over many replays of a graph of kLaunches.
std::vector<double> time_launches(const cuda::Graph& graph, const cuda::Stream& stream) {
  cudaEvent_t begin = nullptr, end = nullptr;
  check(cudaEventCreate(&begin), "make an event");
  check(cudaEventCreate(&end), "make an event");
  std::vector<double> samples;
  for (int sample = -5; sample < kSamples; ++sample) {
    check(cudaEventRecord(begin, stream.get()), "record");
    graph.launch(stream.get());
    check(cudaEventRecord(end, stream.get()), "record");
    stream.wait();
    float ms = 0;
    check(cudaEventElapsedTime(&ms, begin, end), "read the time");
    if (sample >= 0) samples.push_back(1000.0 * ms / kLaunches);
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  return samples;
}

}  // namespace

std::vector<Figure> run_head_case() {
  const router::Network network = card_network();
  const cuda::RouterLayout layout = cuda::plan_router(network);
  std::vector<std::byte> packed(static_cast<size_t>(layout.bytes));
  cuda::pack_router(network, layout, packed);
  const cuda::GuardHeadWeights weights{
      .final_norm = device_copy(std::vector<float>(kHidden, 1.0f)),
      .verdict_rows = device_copy(bf16_noise(size_t{kVerdictTokens} * kHidden, 0.02f, 5)),
      .router = device_copy(packed),
      .router_layout = &layout,
      .verdict_tokens = kVerdictTokens,
      .hidden = kHidden,
  };
  const float* const x = device_copy(noise(size_t{kMostRows} * kHidden, 1, 6));
  const cuda::Bf16* const delta = device_copy(bf16_noise(size_t{kMostRows} * kHidden, 0.1f, 7));
  const cuda::GuardHeadOutputs out{
      .feature = device_copy(std::vector<float>(size_t{kMostRows} * kHidden)),
      .logits = device_copy(std::vector<float>(size_t{kMostRows} * kVerdictTokens)),
      .hardness = device_copy(std::vector<float>(kMostRows)),
      .hard = device_copy(std::vector<uint8_t>(kMostRows)),
  };
  const cuda::HardRule rule{.threshold = device_copy(std::vector<float>{0.5f}), .plan = nullptr};
  std::byte* const scratch = device_copy(
      std::vector<std::byte>(static_cast<size_t>(cuda::guard_head_scratch_bytes(layout, kHidden, kMostRows))));
  const cuda::Stream stream;
  std::vector<Figure> figures;
  for (const int rows : {1, 8, 64, 256}) {
    const cuda::Graph graph = cuda::Graph::capture(stream.get(), [&] {
      for (int launch = 0; launch < kLaunches; ++launch) {
        cuda::guard_head(x, delta, nullptr, weights, rule, out, scratch, rows, stream.get());
      }
    });
    const double target = rows <= 8 ? 8 : rows <= 64 ? 12 : 0;
    figures.push_back(
        figure_of("guard_head, " + std::to_string(rows) + " rows", "us", time_launches(graph, stream), target));
  }
  return figures;
}

}  // namespace saferoute::bench
