#include "gpu/head_case.h"

#include <string>

#include "cuda/guard_head.h"
#include "gpu/launch_times.h"

namespace saferoute::bench {
namespace {

constexpr int kHidden = 2048;
constexpr int kVerdictTokens = 2;
constexpr int kMostRows = 256;

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
  std::vector<Figure> figures;
  for (const int rows : {1, 8, 64, 256}) {
    const double target = rows <= 8 ? 8 : rows <= 64 ? 12 : 0;
    const auto head = [&](cudaStream_t stream) {
      cuda::guard_head(x, delta, nullptr, weights, rule, out, scratch, rows, stream);
    };
    const std::string name = "guard_head, " + std::to_string(rows) + " rows";
    figures.push_back(figure_of(name, "us", launch_times(head), target));
    figures.push_back(figure_of(name + ", one call", "us", call_times(head)));
    figures.push_back(figure_of(name + ", L2 flushed", "us", cold_times(head)));
  }
  return figures;
}

}  // namespace saferoute::bench
