#include "cuda/router_layout.h"

#include <bit>
#include <cstring>
#include <limits>
#include <set>

#include <gtest/gtest.h>

#include "ort/expect_error.h"

namespace saferoute::cuda {
namespace {

using test::expect_error;

// Weights first, first + 1, ...: exact in bf16 up to 256.
router::Layer counting_layer(int32_t inputs, int32_t outputs, float first) {
  router::Layer layer;
  layer.inputs = inputs;
  layer.outputs = outputs;
  for (int32_t i = 0; i < inputs * outputs; ++i) layer.weight.push_back(first + static_cast<float>(i));
  for (int32_t o = 0; o < outputs; ++o) layer.bias.push_back(static_cast<float>(-o - 1));
  return layer;
}

float weight_at(const std::vector<std::byte>& block, const RouterLayerLayout& layer, int32_t output, int32_t input) {
  uint16_t bits;
  std::memcpy(&bits, block.data() + layer.weight_at + 2 * packed_weight_index(output, input, layer.inputs), 2);
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

TEST(RouterLayout, PacksEveryWeightOnceAndPadsWithZeros) {
  router::Network network{{counting_layer(33, 5, 1), counting_layer(5, 1, 1)}};
  network.layers[0].norm_weight.assign(5, 2.0f);
  network.layers[0].norm_bias.assign(5, 3.0f);
  const RouterLayout layout = plan_router(network);
  ASSERT_EQ(layout.layers.size(), 2u);
  EXPECT_EQ(layout.layers[0].inputs, 64);
  EXPECT_EQ(layout.layers[0].outputs, 32);
  EXPECT_EQ(layout.layers[0].norm_size, 5);
  EXPECT_EQ(layout.layers[1].inputs, layout.layers[0].outputs);
  std::vector<std::byte> block(static_cast<size_t>(layout.bytes), std::byte{0xAB});
  pack_router(network, layout, block);
  for (size_t l = 0; l < 2; ++l) {
    const router::Layer& from = network.layers[l];
    const RouterLayerLayout& to = layout.layers[l];
    std::set<int64_t> places;
    for (int32_t o = 0; o < to.outputs; ++o) {
      for (int32_t i = 0; i < to.inputs; ++i) {
        places.insert(packed_weight_index(o, i, to.inputs));
        const bool is_there = o < from.outputs && i < from.inputs;
        ASSERT_EQ(weight_at(block, to, o, i), is_there ? from.weight[o * from.inputs + i] : 0.0f);
      }
    }
    EXPECT_EQ(places.size(), static_cast<size_t>(to.outputs) * to.inputs);
    EXPECT_EQ(*places.begin(), 0);
    EXPECT_EQ(*places.rbegin(), static_cast<int64_t>(to.outputs) * to.inputs - 1);
    std::vector<float> bias(to.outputs), padded = from.bias;
    padded.resize(to.outputs, 0.0f);
    std::memcpy(bias.data(), block.data() + to.bias_at, bias.size() * 4);
    EXPECT_EQ(bias, padded);
  }
  float norm[6];
  std::memcpy(norm, block.data() + layout.layers[0].norm_weight_at, sizeof(norm));
  EXPECT_EQ(norm[4], 2.0f);
  EXPECT_EQ(norm[5], 0.0f);
}

TEST(RouterLayout, RoundsToNearestEven) {
  router::Network network{{counting_layer(32, 1, 0)}};
  // 257 lies between 256 and 258, 259 between 258 and 260: ties go to the even fraction.
  network.layers[0].weight[0] = 257;
  network.layers[0].weight[1] = 259;
  network.layers[0].weight[2] = 1.0f + 1.0f / 256 + 1.0f / 4096;
  const RouterLayout layout = plan_router(network);
  std::vector<std::byte> block(static_cast<size_t>(layout.bytes));
  pack_router(network, layout, block);
  EXPECT_EQ(weight_at(block, layout.layers[0], 0, 0), 256.0f);
  EXPECT_EQ(weight_at(block, layout.layers[0], 0, 1), 260.0f);
  EXPECT_EQ(weight_at(block, layout.layers[0], 0, 2), 1.0f + 1.0f / 128);
}

TEST(RouterLayout, RefusesWhatItCannotHold) {
  router::Network deep;
  for (int l = 0; l <= kMaxRouterLayers; ++l) deep.layers.push_back(counting_layer(1, 1, 1));
  expect_error(ErrorCode::kUnsupported, {"9 layers"}, [&] { plan_router(deep); });
  router::Network normed{{counting_layer(8, 1, 1)}};
  normed.layers[0].norm_weight = normed.layers[0].norm_bias = {1.0f};
  expect_error(ErrorCode::kUnsupported, {"layer norm"}, [&] { plan_router(normed); });
  normed.layers[0].activation = router::Activation::kGelu;
  normed.layers.push_back(counting_layer(1, 1, 1));
  expect_error(ErrorCode::kUnsupported, {"layer 0", "GELU"}, [&] { plan_router(normed); });
  router::Network large{{counting_layer(8, 1, 1)}};
  large.layers[0].weight[3] = std::numeric_limits<float>::max();
  const RouterLayout layout = plan_router(large);
  std::vector<std::byte> block(static_cast<size_t>(layout.bytes));
  expect_error(ErrorCode::kNotFinite, {"weight 3"}, [&] { pack_router(large, layout, block); });
  expect_error(ErrorCode::kInvalidArgument, {"16 bytes"},
               [&] { pack_router(large, layout, std::span(block).first(16)); });
}

TEST(RouterLayout, ScratchHoldsEveryLayersInputsBehindEachOther) {
  router::Network network{{counting_layer(40, 33, 1), counting_layer(33, 4, 1), counting_layer(4, 1, 1)}};
  network.layers[0].norm_weight = network.layers[0].norm_bias = std::vector<float>(33, 1.0f);
  const RouterLayout layout = plan_router(network);
  // 5 rows are padded to 32: features of 64 bf16, then 64 f32 before their norm, then 32 bf16.
  EXPECT_EQ(activations_at(layout, 40, 5, 0), kGuardHeadSyncBytes);
  EXPECT_EQ(activations_at(layout, 40, 5, 1), kGuardHeadSyncBytes + 32 * 64 * 2);
  EXPECT_EQ(activations_at(layout, 40, 5, 2), kGuardHeadSyncBytes + 32 * 64 * 2 + 32 * 64 * 4);
  EXPECT_EQ(guard_head_scratch_bytes(layout, 40, 5), kGuardHeadSyncBytes + 32 * 64 * 2 + 32 * 64 * 4 + 32 * 32 * 2);
  EXPECT_EQ(guard_head_scratch_bytes({}, 40, 5), kGuardHeadSyncBytes);
  // More rows than a launch takes need no more.
  EXPECT_EQ(guard_head_scratch_bytes(layout, 40, 1000), guard_head_scratch_bytes(layout, 40, kMaxHeadRows));
}

}  // namespace
}  // namespace saferoute::cuda
