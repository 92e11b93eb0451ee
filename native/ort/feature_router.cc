#include "ort/feature_router.h"

#include <atomic>
#include <cstdint>
#include <utility>

#include "cpu/guard_head.h"

namespace saferoute::ort {
namespace {

// A core reads 25 to 50 GB/s of weights, so this is a tenth of a millisecond at most. In int8 the official network has
// 1.3 MiB and the model card's 2.8, in f32 5 and 10.5.
constexpr uint64_t kMaxBytes = uint64_t{3} << 20;

class CpuRouter final : public engine::FeatureRouter {
 public:
  explicit CpuRouter(std::shared_ptr<const router::Network> network) : network_(std::move(network)) {}

  // In turn forwards and backwards through the weights, which do not fit the caches of one core: a call begins with
  // those that the last one has left there. Always in one order, each weight would be evicted just before its turn.
  float route(std::span<const float> feature) const noexcept override {
    const bool backwards = calls_.fetch_add(1, std::memory_order_relaxed) % 2 == 1;
    return cpu::route(*network_, feature.data(), backwards ? cpu::serial_backwards() : cpu::serial());
  }

 private:
  const std::shared_ptr<const router::Network> network_;
  mutable std::atomic<uint32_t> calls_ = 0;
};

}  // namespace

std::shared_ptr<const engine::FeatureRouter> make_feature_router(std::shared_ptr<const router::Network> network) {
  if (network->bytes() > kMaxBytes) return nullptr;
  return std::make_shared<CpuRouter>(std::move(network));
}

}  // namespace saferoute::ort
