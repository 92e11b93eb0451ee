#include "router/quantized_weights.h"

#include <cmath>
#include <limits>
#include <random>

#include <gtest/gtest.h>

namespace saferoute::router {
namespace {

constexpr int32_t kOutputs = 64;

Layer layer_of(int32_t inputs, std::vector<float> weight) {
  Layer layer;
  layer.inputs = inputs;
  layer.outputs = static_cast<int32_t>(weight.size()) / inputs;
  layer.weight = std::move(weight);
  layer.bias.assign(layer.outputs, 0.5f);
  return layer;
}

std::vector<float> random_weights(int32_t inputs, float sigma = 0.02f) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, sigma);
  std::vector<float> weight(static_cast<size_t>(inputs) * kOutputs);
  for (float& value : weight) value = normal(random);
  return weight;
}

Layer quantized(Layer layer) {
  Network network{{std::move(layer)}};
  quantize_weights(network);
  return network.layers[0];
}

TEST(QuantizedWeights, AreWithinHalfAStepOfEachGroupsScale) {
  for (const int32_t inputs : {64, 100, 2048}) {
    const std::vector<float> weight = random_weights(inputs);
    const Layer layer = quantized(layer_of(inputs, weight));
    const int64_t groups = groups_of(inputs);
    ASSERT_EQ(layer.quantized.values.size(), static_cast<size_t>(kOutputs * groups * kGroupInputs));
    ASSERT_EQ(layer.quantized.scales.size(), static_cast<size_t>(kOutputs * groups));
    for (int64_t o = 0; o < kOutputs; ++o) {
      for (int64_t i = 0; i < groups * kGroupInputs; ++i) {
        const int8_t value = layer.quantized.values[o * groups * kGroupInputs + i];
        if (i >= inputs) {
          ASSERT_EQ(value, 0) << "output " << o << ", padding " << i;
          continue;
        }
        const double scale = layer.quantized.scales[o * groups + i / kGroupInputs];
        ASSERT_NEAR(value * scale, weight[o * inputs + i], 0.5001 * scale) << "output " << o << ", input " << i;
      }
    }
  }
}

TEST(QuantizedWeights, TakeTheirScaleFromTheLargestMagnitudeOfTheGroup) {
  std::vector<float> weight = random_weights(128, 0.2f);
  weight[3] = -2.54f;      // output 0, group 0
  weight[64 + 5] = 1.27f;  // output 0, group 1
  const Layer layer = quantized(layer_of(128, weight));
  EXPECT_FLOAT_EQ(layer.quantized.scales[0], 0.02f);
  EXPECT_FLOAT_EQ(layer.quantized.scales[1], 0.01f);
  EXPECT_EQ(layer.quantized.values[3], -127);
  EXPECT_EQ(layer.quantized.values[64 + 5], 127);
}

TEST(QuantizedWeights, ReplaceThoseInF32) {
  const Layer layer = quantized(layer_of(64, random_weights(64)));
  EXPECT_TRUE(layer.weight.empty());
  EXPECT_EQ(layer.bias, std::vector<float>(kOutputs, 0.5f));
}

TEST(QuantizedWeights, AGroupOfZerosIsHeldExactly) {
  std::vector<float> weight = random_weights(128);
  for (size_t i = 0; i < 64; ++i) weight[i] = 0;
  const Layer layer = quantized(layer_of(128, weight));
  EXPECT_EQ(layer.quantized.scales[0], 0.0f);
  for (size_t i = 0; i < 64; ++i) EXPECT_EQ(layer.quantized.values[i], 0);
  EXPECT_FALSE(quantized(layer_of(64, std::vector<float>(64 * kOutputs))).quantized.values.empty());
}

TEST(QuantizedWeights, AGroupTooSmallForANormalScaleCountsAsZeros) {
  std::vector<float> weight = random_weights(128);
  for (size_t i = 0; i < 64; ++i) weight[i] = std::numeric_limits<float>::min();
  const Layer layer = quantized(layer_of(128, weight));
  EXPECT_EQ(layer.quantized.scales[0], 0.0f);
  for (size_t i = 0; i < 64; ++i) EXPECT_EQ(layer.quantized.values[i], 0);
}

TEST(QuantizedWeights, ALayerThatRoundingWouldChangeTooMuchStaysInF32) {
  std::vector<float> weight = random_weights(64, 1.0f);
  for (size_t o = 0; o < kOutputs; ++o) weight[o * 64] = 30.0f;  // steps of 0.24 for all others
  const Layer layer = quantized(layer_of(64, weight));
  EXPECT_TRUE(layer.quantized.values.empty());
  EXPECT_TRUE(layer.quantized.scales.empty());
  EXPECT_EQ(layer.weight, weight);
}

TEST(QuantizedWeights, ASmallLayerStaysInF32) {
  EXPECT_EQ(quantized(layer_of(64, std::vector<float>(63 * 64, 1.0f))).weight.size(), 63u * 64u);
  EXPECT_TRUE(quantized(layer_of(64, std::vector<float>(64 * 64, 1.0f))).weight.empty());
}

TEST(QuantizedWeights, ALayerTooWideForTheKernelsTileStaysInF32) {
  const auto of_ones = [](int32_t inputs) { return layer_of(inputs, std::vector<float>(inputs, 1.0f)); };
  EXPECT_TRUE(quantized(of_ones(kMaxQuantizedInputs)).weight.empty());
  EXPECT_FALSE(quantized(of_ones(kMaxQuantizedInputs + 1)).weight.empty());
}

TEST(QuantizedWeights, LayersAreJudgedOneByOne) {
  Network network{{layer_of(64, random_weights(64)), layer_of(1, {1.0f}), layer_of(128, random_weights(128))}};
  quantize_weights(network);
  EXPECT_TRUE(network.layers[0].weight.empty());
  EXPECT_FALSE(network.layers[1].weight.empty());
  EXPECT_TRUE(network.layers[2].weight.empty());
}

TEST(QuantizedWeights, AreCountedInBytesAsTheyAreKept) {
  Network network{{layer_of(64, random_weights(64))}};
  const uint64_t before = network.bytes();
  quantize_weights(network);
  EXPECT_EQ(before, sizeof(float) * (64 + 1) * kOutputs);
  EXPECT_EQ(network.bytes(), 64u * kOutputs + sizeof(float) * (kOutputs + kOutputs));
}

}  // namespace
}  // namespace saferoute::router
