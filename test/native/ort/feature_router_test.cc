// The router on its callers' threads: the same hardness with and without help, whoever asks beside them.
#include "ort/feature_router.h"

#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "cpu/guard_head.h"
#include "router/half_weights.h"

namespace saferoute::ort {
namespace {

constexpr int32_t kInputs = 1024;

std::vector<float> random_floats(size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.05f);
  std::vector<float> values(count);
  for (float& value : values) value = normal(random);
  return values;
}

router::Layer layer(int32_t inputs, int32_t outputs) {
  router::Layer layer;
  layer.inputs = inputs;
  layer.outputs = outputs;
  layer.activation = router::Activation::kGelu;
  layer.weight = random_floats(static_cast<size_t>(inputs) * outputs, 1);
  layer.bias = random_floats(outputs, 2);
  return layer;
}

// Two layers large enough to share, the outputs of neither a whole number of chunks, and one that is not.
router::Network network(bool halves) {
  router::Network network{{layer(kInputs, 150), layer(150, 901), layer(901, 1)}};
  if (halves) router::store_in_halves(network);
  return network;
}

TEST(FeatureRouter, IsTheNetworkBitForBitForAllWhoAsk) {
  for (const bool halves : {false, true}) {
    auto shared = std::make_shared<const router::Network>(network(halves));
    std::shared_ptr<const engine::FeatureRouter> router = make_feature_router(shared);
    ASSERT_TRUE(router);
    std::vector<std::jthread> callers;
    for (uint32_t caller = 0; caller < 3; ++caller) {
      callers.emplace_back([shared, router, caller] {
        for (uint32_t call = 0; call < 100; ++call) {
          const std::vector<float> feature = random_floats(kInputs, caller * 100 + call);
          EXPECT_EQ(router->route(feature), cpu::route(*shared, feature.data()));
        }
      });
    }
    router.reset();  // goes with the last caller
  }
}

// A helper that is still at a feature when the next one comes must mix up neither.
TEST(FeatureRouter, KeepsFeaturesApart) {
  const auto shared = std::make_shared<const router::Network>(network(true));
  const auto router = make_feature_router(shared);
  std::vector<std::vector<float>> features;
  std::vector<float> hardness;
  for (uint32_t seed = 0; seed < 8; ++seed) {
    features.push_back(random_floats(kInputs, seed));
    hardness.push_back(cpu::route(*shared, features.back().data()));
  }
  for (size_t call = 0; call < 2000; ++call) ASSERT_EQ(router->route(features[call % 8]), hardness[call % 8]);
}

TEST(FeatureRouter, EndsWithoutHavingBeenAsked) {
  const auto shared = std::make_shared<const router::Network>(network(true));
  for (int turn = 0; turn < 50; ++turn) EXPECT_TRUE(make_feature_router(shared));
}

}  // namespace
}  // namespace saferoute::ort
