#include "router/half_weights.h"

#include <gtest/gtest.h>

namespace saferoute::router {
namespace {

Layer layer_of(std::vector<float> weight) {
  Layer layer;
  layer.inputs = static_cast<int32_t>(weight.size());
  layer.outputs = 1;
  layer.weight = std::move(weight);
  layer.bias = {0.0f};
  return layer;
}

Layer stored(std::vector<float> weight) {
  Network network{{layer_of(std::move(weight))}};
  store_in_halves(network);
  return network.layers[0];
}

// The half of a value beside one so large that what rounding does to it weighs nothing.
uint16_t half_beside_a_large_one(float value) { return stored({32768.0f, value}).half_weight.at(1); }

TEST(HalfWeights, AreTheNearestHalves) {
  EXPECT_EQ(half_beside_a_large_one(1.0f), 0x3c00);
  EXPECT_EQ(half_beside_a_large_one(-2.0f), 0xc000);
  EXPECT_EQ(half_beside_a_large_one(65504.0f), 0x7bff);  // the largest
  EXPECT_EQ(half_beside_a_large_one(65519.0f), 0x7bff);
  EXPECT_EQ(half_beside_a_large_one(0x1p-14f), 0x0400);  // the smallest normal one
  EXPECT_EQ(half_beside_a_large_one(0x1.ff8p-15f), 0x03ff);
  EXPECT_EQ(half_beside_a_large_one(0x1.fffp-15f), 0x0400);  // rounds up to it
  EXPECT_EQ(half_beside_a_large_one(-0x1p-24f), 0x8001);
  EXPECT_EQ(half_beside_a_large_one(0.0f), 0x0000);
  EXPECT_EQ(half_beside_a_large_one(-0.0f), 0x8000);
}

TEST(HalfWeights, TiesGoToTheEvenOne) {
  EXPECT_EQ(half_beside_a_large_one(1.0f + 0x1p-11f), 0x3c00);
  EXPECT_EQ(half_beside_a_large_one(1.0f + 0x1.8p-10f), 0x3c02);
  EXPECT_EQ(half_beside_a_large_one(1.0f + 0x1.002p-11f), 0x3c01);
  EXPECT_EQ(half_beside_a_large_one(0x1p-25f), 0x0000);
  EXPECT_EQ(half_beside_a_large_one(0x1.8p-24f), 0x0002);
}

TEST(HalfWeights, ReplaceThoseInF32) {
  const Layer layer = stored({0.5f, -0.25f, 0.0f});
  EXPECT_EQ(layer.half_weight, (std::vector<uint16_t>{0x3800, 0xb400, 0x0000}));
  EXPECT_TRUE(layer.weight.empty());
  EXPECT_EQ(layer.bias, std::vector<float>{0.0f});
}

TEST(HalfWeights, ALayerOfZerosIsHeldExactly) { EXPECT_EQ(stored({0.0f, 0.0f}).half_weight.size(), 2u); }

TEST(HalfWeights, ALayerBeyondTheirRangeStaysInF32) {
  const Layer layer = stored({1.0f, 65520.0f});
  EXPECT_TRUE(layer.half_weight.empty());
  EXPECT_EQ(layer.weight, (std::vector<float>{1.0f, 65520.0f}));
}

TEST(HalfWeights, ALayerOfWeightsTooSmallForThemStaysInF32) {
  const Layer layer = stored({1.1e-7f, -2.3e-7f, 3.1e-7f});
  EXPECT_TRUE(layer.half_weight.empty());
  EXPECT_EQ(layer.weight.size(), 3u);
}

TEST(HalfWeights, LayersAreJudgedOneByOne) {
  Network network{{layer_of({1.0f}), layer_of({1e6f}), layer_of({2.0f})}};
  store_in_halves(network);
  EXPECT_FALSE(network.layers[0].half_weight.empty());
  EXPECT_TRUE(network.layers[1].half_weight.empty());
  EXPECT_FALSE(network.layers[2].half_weight.empty());
}

}  // namespace
}  // namespace saferoute::router
