// Blocks of weights: every buffer has its place, at an address that vector loads take, and nothing overlaps.
#include "cuda/weight_layout.h"

#include <vector>

#include <gtest/gtest.h>

#include "cuda/guard_shapes.h"
#include "cuda/pass_buffers.h"

namespace saferoute::cuda {
namespace {

void expect_back_to_back(const std::vector<Extent>& extents, uint64_t block_bytes) {
  uint64_t end = 0;
  for (const Extent& extent : extents) {
    if (extent.bytes == 0) continue;
    EXPECT_EQ(extent.offset, end);
    end = aligned(extent.offset + extent.bytes);
  }
  EXPECT_EQ(end, block_bytes);
}

std::vector<Extent> extents_of(const LayerLayout& layer) {
  std::vector<Extent> extents = {layer.input_norm, layer.q_norm, layer.k_norm, layer.post_norm};
  for (const MatrixExtent& matrix : {layer.qkv, layer.output, layer.gate_up, layer.down}) {
    extents.push_back(matrix.values);
    extents.push_back(matrix.scales);
  }
  return extents;
}

TEST(WeightLayout, OfALayerIsItsMatricesAndNorms) {
  const LayerLayout layer = layer_layout(llama_guard_1b().spec, Precision::kBf16);
  EXPECT_EQ(layer.bytes, 2 * 2048 * 4u + 2u * (3072u * 2048 + 2048u * 2048 + 16384u * 2048 + 2048u * 8192));
  EXPECT_EQ(layer.qkv.outputs, 3072);
  EXPECT_EQ(layer.down.inputs, 8192);
  EXPECT_EQ(layer.q_norm.bytes, 0u);
  EXPECT_EQ(layer.qkv.scales.bytes, 0u);
  expect_back_to_back(extents_of(layer), layer.bytes);
}

TEST(WeightLayout, OfALayerInFp8HasAScaleToEachOutput) {
  model::ModelSpec spec = llama_guard_1b().spec;
  spec.qk_norm = true;
  const LayerLayout layer = layer_layout(spec, Precision::kFp8);
  EXPECT_EQ(layer.gate_up.values.bytes, 16384u * 2048);
  EXPECT_EQ(layer.gate_up.scales.bytes, 16384u * 4);
  EXPECT_EQ(layer.q_norm.bytes, 64u * 4);
  expect_back_to_back(extents_of(layer), layer.bytes);
}

TEST(WeightLayout, KeepsAddressesAlignedWhateverTheSizes) {
  model::ModelSpec spec = llama_guard_1b().spec;
  spec.hidden_size = 40;
  spec.head_dim = 10;
  spec.heads = spec.kv_heads = 1;
  spec.intermediate_size = 24;
  for (const Precision precision : {Precision::kBf16, Precision::kFp8}) {
    const LayerLayout layer = layer_layout(spec, precision);
    for (const Extent& extent : extents_of(layer)) EXPECT_EQ(extent.offset % kDeviceAlignment, 0u);
    EXPECT_EQ(layer.bytes % kDeviceAlignment, 0u);
    expect_back_to_back(extents_of(layer), layer.bytes);
  }
}

TEST(WeightLayout, OfTheHeadHoldsARouterOnlyWhereThereIsOne) {
  const model::ModelSpec spec = llama_guard_1b().spec;
  const HeadLayout with = head_layout(spec, 2, 1000);
  EXPECT_EQ(with.router.bytes, 1000u);
  EXPECT_EQ(with.verdict_rows.bytes, 2u * 2048 * 2);
  EXPECT_EQ(with.inverse_frequency.bytes, 32u * 4);
  expect_back_to_back({with.inverse_frequency, with.final_norm, with.verdict_rows, with.router}, with.bytes);
  const HeadLayout without = head_layout(spec, 2, 0);
  EXPECT_EQ(without.router.bytes, 0u);
  EXPECT_EQ(without.bytes, with.bytes - aligned(1000));
}

TEST(PassBuffers, AreBackToBackInTheirOrder) {
  for (const Precision precision : {Precision::kBf16, Precision::kFp8}) {
    GuardDemand demand = llama_guard_1b();
    demand.precision = precision;
    const PassBuffers pass = pass_buffers(demand);
    expect_back_to_back({pass.batch,
                         pass.compacted,
                         pass.residual,
                         pass.cos_sin,
                         pass.normed.values,
                         pass.normed.scales,
                         pass.qkv,
                         pass.attended,
                         pass.attended_fp8.values,
                         pass.attended_fp8.scales,
                         pass.delta,
                         pass.gate_up,
                         pass.product.values,
                         pass.product.scales,
                         pass.last_residual,
                         pass.last_attended,
                         pass.attention,
                         pass.head,
                         pass.features,
                         pass.logits,
                         pass.hardness,
                         pass.hard,
                         pass.row_plan,
                         pass.taken,
                         pass.counts},
                        pass.bytes);
    EXPECT_EQ(pass.qkv.bytes, 1024u * 3072 * 2);
    EXPECT_EQ(pass.product.values.bytes, 1024u * 8192 * (precision == Precision::kFp8 ? 1 : 2));
    EXPECT_EQ(pass.features.bytes, 256u * 2048 * 4);
  }
}

// A graph's padding is rows of no tokens, and the end of the last layer runs for rows.
TEST(PassBuffers, HoldATokenToEveryRowWhereRowsOutnumberTokens) {
  GuardDemand demand = llama_guard_1b();
  demand.batch_tokens = 16;
  demand.batch_rows = 64;
  EXPECT_EQ(pass_buffers(demand).residual.bytes, 64u * 2048 * 4);
}

}  // namespace
}  // namespace saferoute::cuda
