#include "ort/feature_router.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "cpu/guard_head.h"
#include "ort/chunk_helper.h"
#include "ort/thread_pool.h"

namespace saferoute::ort {
namespace {

// A core reads 25 to 50 GB/s of weights, so this is a tenth of a millisecond at most. The official network has 2.5 MiB
// in halves, and 5 in f32.
constexpr uint64_t kMaxBytes = uint64_t{3} << 20;

// Outputs that are computed at a time where a layer is shared: some microseconds of the official network's widest.
constexpr int64_t kChunkOutputs = 32;

// A chunk that the helper has not finished after twice the time that it should take is computed again.
constexpr std::chrono::microseconds kPatience(8);

// Weights below which a layer takes less time than it does to share it.
constexpr int64_t kMinWeights = int64_t{1} << 17;

bool is_shared(const router::Layer& layer) {
  return layer.outputs >= 2 * kChunkOutputs && int64_t{layer.inputs} * layer.outputs >= kMinWeights;
}

// Help is worth waking for where calls follow each other: so soon after the last one ended.
constexpr std::chrono::microseconds kFollows(100);

// Routes on the calling thread and one other. Each takes about the same half of the weights in every call, and finds it
// in its own core's cache. Used by one thread at a time.
class SharedRoute {
 public:
  explicit SharedRoute(const router::Network& network)
      : inputs_(widest_input(network)),
        outputs_(static_cast<size_t>(network.widest())),
        helper_([this](int32_t chunk) { compute(*layer_, inputs_.data(), outputs_.data(), chunk); }, kPatience) {}

  // Whether there is help for a call that begins now. Where there is none yet, it is called for those that follow.
  bool has_help() {
    if (helper_.is_awake()) return true;
    if (std::chrono::steady_clock::now() - last_end_ < kFollows && helper_.rests()) helper_.call();
    return false;
  }

  // At the end of every call, shared or not.
  void end_call() { last_end_ = std::chrono::steady_clock::now(); }

  float route(const router::Network& network, const float* feature) {
    const cpu::LayerProducts by_two{[](void* shared, const router::Layer& layer, const float* inputs, float* outputs) {
                                      static_cast<SharedRoute*>(shared)->products(layer, inputs, outputs);
                                    },
                                    this};
    return cpu::route(network, feature, by_two);
  }

 private:
  // outputs (layer.outputs) = weight · inputs (layer.inputs) + bias
  void products(const router::Layer& layer, const float* inputs, float* outputs) {
    if (!is_shared(layer) || !helper_.rests()) return cpu::layer_products(layer, inputs, outputs, 0, layer.outputs);
    layer_ = &layer;
    std::copy_n(inputs, layer.inputs, inputs_.data());
    const auto chunks = static_cast<int32_t>((layer.outputs + kChunkOutputs - 1) / kChunkOutputs);
    const int32_t helped = helper_.share(chunks, [&](int32_t chunk) { compute(layer, inputs, outputs, chunk); });
    if (helped == chunks) return;
    const int64_t from = helped * kChunkOutputs;
    std::copy_n(outputs_.data() + from, layer.outputs - from, outputs + from);
  }

  static size_t widest_input(const router::Network& network) {
    int32_t width = 0;
    for (const router::Layer& layer : network.layers) width = std::max(width, layer.inputs);
    return static_cast<size_t>(width);
  }

  static void compute(const router::Layer& layer, const float* inputs, float* outputs, int32_t chunk) {
    const int64_t first = chunk * kChunkOutputs;
    cpu::layer_products(layer, inputs, outputs, first, std::min<int64_t>(first + kChunkOutputs, layer.outputs));
  }

  std::chrono::steady_clock::time_point last_end_;

  // What the helper reads and writes, since a call may be over before the helper is.
  const router::Layer* layer_ = nullptr;
  std::vector<float> inputs_;   // (widest input)
  std::vector<float> outputs_;  // (widest output)
  ChunkHelper helper_;          // last: its thread uses what stands above
};

class CpuRouter final : public engine::FeatureRouter {
 public:
  explicit CpuRouter(std::shared_ptr<const router::Network> network) : network_(std::move(network)) {
    if (usable_cores() > 1 && std::ranges::any_of(network_->layers, is_shared)) shared_.emplace(*network_);
  }

  // Alone in turn forwards and backwards through the weights, which do not fit the caches of one core: a call begins
  // with those that the last one has left there. Always in one order, each weight would be evicted just before its
  // turn.
  float route(std::span<const float> feature) const noexcept override {
    std::unique_lock lock(sharing_, std::defer_lock);
    if (!shared_ || !lock.try_lock()) return route_alone(feature);
    const float hardness = shared_->has_help() ? shared_->route(*network_, feature.data()) : route_alone(feature);
    shared_->end_call();
    return hardness;
  }

 private:
  float route_alone(std::span<const float> feature) const noexcept {
    const bool backwards = calls_.fetch_add(1, std::memory_order_relaxed) % 2 == 1;
    return cpu::route(*network_, feature.data(), backwards ? cpu::serial_backwards() : cpu::serial());
  }

  const std::shared_ptr<const router::Network> network_;
  mutable std::atomic<uint32_t> calls_ = 0;
  mutable std::mutex sharing_;  // whoever does not get it computes alone
  mutable std::optional<SharedRoute> shared_;
};

}  // namespace

std::shared_ptr<const engine::FeatureRouter> make_feature_router(std::shared_ptr<const router::Network> network) {
  if (network->bytes() > kMaxBytes) return nullptr;
  return std::make_shared<CpuRouter>(std::move(network));
}

}  // namespace saferoute::ort
