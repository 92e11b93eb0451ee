// Checkpoints packed into blocks: each weight where the layout says, rounded to nearest, and errors that name the
// tensor.
#include "cuda/weight_packing.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "model/checkpoint_file.h"
#include "model/rope_frequencies.h"
#include "model/weights.h"

namespace saferoute::cuda {
namespace {

using model::expect_error;
using model::TemporaryFolder;

float from_bf16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

// By the format's definition: exponent bias 7, no infinity, all ones is NaN.
float from_fp8(uint8_t bits) {
  const int exponent = bits >> 3 & 15;
  const int mantissa = bits & 7;
  if ((bits & 0x7f) == 0x7f) return std::numeric_limits<float>::quiet_NaN();
  const float magnitude =
      exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -9) : std::ldexp(8.0f + mantissa, exponent - 10);
  return bits & 0x80 ? -magnitude : magnitude;
}

// A block that was poisoned before it was packed, and how often each byte was written.
class MemoryBlock final : public BlockSink {
 public:
  explicit MemoryBlock(uint64_t bytes) : bytes_(bytes, std::byte{0xff}), written_(bytes, 0) {}

  std::span<std::byte> next(uint64_t offset, uint64_t bytes) override {
    EXPECT_GT(bytes, 0u);
    EXPECT_LE(bytes, kPackPieceBytes);
    EXPECT_LE(offset + bytes, bytes_.size());
    for (uint64_t i = offset; i < offset + bytes; ++i) ++written_[i];
    return std::span(bytes_).subspan(offset, bytes);
  }

  template <typename T>
  std::vector<T> read(const Extent& extent) const {
    std::vector<T> values(extent.bytes / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes_.data() + extent.offset, extent.bytes);
    for (uint64_t i = extent.offset; i < extent.offset + extent.bytes; ++i) EXPECT_EQ(written_[i], 1) << "byte " << i;
    return values;
  }

 private:
  std::vector<std::byte> bytes_;
  std::vector<int> written_;
};

void expect_bf16(const MemoryBlock& block, const Extent& extent, const std::vector<float>& expected) {
  const std::vector<uint16_t> bits = block.read<uint16_t>(extent);
  ASSERT_EQ(bits.size(), expected.size());
  for (size_t i = 0; i < bits.size(); ++i) ASSERT_EQ(from_bf16(bits[i]), expected[i]) << "element " << i;
}

// Within half a step of the row's largest, at the least.
void expect_fp8(const MemoryBlock& block, const MatrixExtent& extent, const std::vector<float>& expected) {
  const std::vector<uint8_t> bits = block.read<uint8_t>(extent.values);
  const std::vector<float> scales = block.read<float>(extent.scales);
  ASSERT_EQ(bits.size(), expected.size());
  ASSERT_EQ(scales.size(), static_cast<size_t>(extent.outputs));
  for (size_t i = 0; i < bits.size(); ++i) {
    const float scale = scales[i / static_cast<size_t>(extent.inputs)];
    const float value = from_fp8(bits[i]) * scale;
    ASSERT_NEAR(value, expected[i], std::abs(expected[i]) / 16 + scale * 0x1p-10f) << "element " << i;
  }
}

// Values small enough to be whole in bf16 after the division.
model::CheckpointFile exact_checkpoint(const model::ModelSpec& spec) {
  model::CheckpointFile file = model::counting_checkpoint(spec);
  for (size_t at = file.entries.front().offset; at + sizeof(float) <= file.bytes.size(); at += sizeof(float)) {
    float value;
    std::memcpy(&value, file.bytes.data() + at, sizeof(value));
    value = from_bf16(model::bf16_bits(std::sin(value)));
    std::memcpy(file.bytes.data() + at, &value, sizeof(value));
  }
  return file;
}

TEST(WeightPacking, PutsALayerWhereItsLayoutSays) {
  for (const bool qk_norm : {false, true}) {
    model::ModelSpec spec = model::tiny_spec();
    spec.qk_norm = qk_norm;
    const TemporaryFolder folder;
    const model::TensorTable table = exact_checkpoint(spec).open(folder);
    const model::LayerWeights expected = model::load_layer(table, spec, 1);
    const LayerLayout layout = layer_layout(spec, Precision::kBf16);
    MemoryBlock block(layout.bytes);
    pack_layer(table, spec, Precision::kBf16, 1, block);
    EXPECT_EQ(block.read<float>(layout.input_norm), expected.input_norm);
    EXPECT_EQ(block.read<float>(layout.q_norm), expected.q_norm);
    EXPECT_EQ(block.read<float>(layout.k_norm), expected.k_norm);
    EXPECT_EQ(block.read<float>(layout.post_norm), expected.post_norm);
    expect_bf16(block, layout.qkv.values, expected.qkv);
    expect_bf16(block, layout.output.values, expected.output);
    expect_bf16(block, layout.gate_up.values, expected.gate_up);
    expect_bf16(block, layout.down.values, expected.down);
  }
}

TEST(WeightPacking, PutsALayerInFp8WithAScaleToEachOutput) {
  const model::ModelSpec spec = model::tiny_spec();
  const TemporaryFolder folder;
  const model::TensorTable table = exact_checkpoint(spec).open(folder);
  const model::LayerWeights expected = model::load_layer(table, spec, 0);
  const LayerLayout layout = layer_layout(spec, Precision::kFp8);
  MemoryBlock block(layout.bytes);
  pack_layer(table, spec, Precision::kFp8, 0, block);
  EXPECT_EQ(block.read<float>(layout.post_norm), expected.post_norm);
  expect_fp8(block, layout.qkv, expected.qkv);
  expect_fp8(block, layout.output, expected.output);
  expect_fp8(block, layout.gate_up, expected.gate_up);
  expect_fp8(block, layout.down, expected.down);
}

// Matrices and tables of several pieces, the last of them short.
TEST(WeightPacking, PacksWhatIsLargerThanAPiece) {
  model::ModelSpec spec = model::tiny_spec();
  spec.layers = 1;
  spec.hidden_size = 96;
  spec.intermediate_size = 4001;
  spec.vocab_size = 5003;
  const TemporaryFolder folder;
  const model::TensorTable table = exact_checkpoint(spec).open(folder);
  const model::LayerWeights expected = model::load_layer(table, spec, 0);
  const LayerLayout layout = layer_layout(spec, Precision::kBf16);
  MemoryBlock block(layout.bytes);
  pack_layer(table, spec, Precision::kBf16, 0, block);
  expect_bf16(block, layout.gate_up.values, expected.gate_up);
  expect_bf16(block, layout.down.values, expected.down);

  MemoryBlock embedding(embedding_bytes(spec));
  pack_embedding(table, spec, embedding);
  std::vector<float> rows(static_cast<size_t>(spec.vocab_size) * 96);
  model::convert_to_f32(table.require("model.embed_tokens.weight"), rows);
  expect_bf16(embedding, {.offset = 0, .bytes = embedding_bytes(spec)}, rows);
}

TEST(WeightPacking, PutsTheHeadWhereItsLayoutSays) {
  const model::ModelSpec spec = model::tiny_spec();
  const TemporaryFolder folder;
  const model::TensorTable table = exact_checkpoint(spec).open(folder);
  const std::vector<int32_t> verdict_ids = {3, 7};
  const HeadLayout layout = head_layout(spec, 2, 0);
  MemoryBlock block(layout.bytes);
  pack_head(table, spec, verdict_ids, nullptr, RouterLayout(), block);
  EXPECT_EQ(block.read<float>(layout.final_norm), model::load_final_norm(table, spec));
  EXPECT_EQ(block.read<float>(layout.inverse_frequency), model::inverse_frequencies(spec));
  expect_bf16(block, layout.verdict_rows, model::load_head_rows(table, spec, verdict_ids));
}

TEST(WeightPacking, PutsTheRouterIntoTheHead) {
  const model::ModelSpec spec = model::tiny_spec();
  const TemporaryFolder folder;
  const model::TensorTable table = exact_checkpoint(spec).open(folder);
  router::Network network;
  router::Layer& layer = network.layers.emplace_back();
  layer.inputs = spec.hidden_size;
  layer.outputs = 1;
  layer.weight = {1, 2, 3, 4, 5};
  layer.bias = {0.5f};
  const RouterLayout router_layout = plan_router(network);
  const HeadLayout layout = head_layout(spec, 2, router_layout.bytes);
  MemoryBlock block(layout.bytes);
  pack_head(table, spec, std::vector<int32_t>{3, 7}, &network, router_layout, block);
  std::vector<std::byte> expected(layout.router.bytes);
  pack_router(network, router_layout, expected);
  EXPECT_EQ(block.read<std::byte>(layout.router), expected);
}

TEST(WeightPacking, RefusesWhatIsNotFiniteByName) {
  const model::ModelSpec spec = model::tiny_spec();
  const TemporaryFolder folder;
  const std::string name = "model.layers.1.mlp.up_proj.weight";
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    model::CheckpointFile file = exact_checkpoint(spec);
    std::memcpy(file.bytes.data() + file.entry(name).offset + 3 * sizeof(float), &bad, sizeof(bad));
    const model::TensorTable table = file.open(folder);
    for (const Precision precision : {Precision::kBf16, Precision::kFp8}) {
      MemoryBlock block(layer_layout(spec, precision).bytes);
      expect_error(ErrorCode::kNotFinite, "'" + name + "': element 3",
                   [&] { pack_layer(table, spec, precision, 1, block); });
    }
  }
}

TEST(WeightPacking, RefusesAWeightBeyondTheRangeOfBf16) {
  const std::vector<float> values = {1.0f, std::numeric_limits<float>::max()};
  std::vector<uint16_t> out(2);
  expect_error(ErrorCode::kNotFinite, "a matrix: a weight is beyond the range of bf16",
               [&] { round_to_bf16(values, out.data(), "a matrix"); });
}

TEST(Bf16Rounding, IsToNearestAndTiesAreToEven) {
  const std::vector<float> values = {1.0f,  1.0f + 0x1p-8f, 1.0f + 0x1p-8f + 0x1p-20f, 1.0f + 3 * 0x1p-8f,
                                     -0.0f, 0x1p-130f};
  const std::vector<float> expected = {1.0f, 1.0f, 1.0f + 0x1p-7f, 1.0f + 0x1p-6f, -0.0f, 0x1p-130f};
  std::vector<uint16_t> out(values.size());
  round_to_bf16(values, out.data(), "values");
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(from_bf16(out[i]), expected[i]) << i;
    EXPECT_EQ(std::signbit(from_bf16(out[i])), std::signbit(expected[i])) << i;
  }
}

// The 253 finite values by definition, and of the two neighbours the nearer, or the one with an even mantissa.
TEST(Fp8Quantisation, IsToNearestAndTiesAreToEven) {
  std::map<float, uint8_t> finite;
  for (int bits = 0; bits < 256; ++bits) {
    if ((bits & 0x7f) != 0x7f && bits != 0x80)
      finite[from_fp8(static_cast<uint8_t>(bits))] = static_cast<uint8_t>(bits);
  }
  ASSERT_EQ(finite.size(), 253u);
  std::vector<float> row = {448.0f, -448.0f, 0.0f};  // the scale is 1
  for (auto value = finite.begin(); std::next(value) != finite.end(); ++value) {
    const float middle = (value->first + std::next(value)->first) / 2;
    row.insert(row.end(), {value->first, middle, std::nextafter(middle, -1e9f), std::nextafter(middle, 1e9f)});
  }
  std::mt19937 random(1);
  std::uniform_real_distribution<float> wide(-448.0f, 448.0f);
  std::uniform_real_distribution<float> narrow(-0.05f, 0.05f);
  for (int i = 0; i < 20000; ++i) row.insert(row.end(), {wide(random), narrow(random)});
  std::vector<uint8_t> out(row.size());
  ASSERT_EQ(quantize_to_fp8(row, out.data()), 1.0f);
  for (size_t i = 0; i < row.size(); ++i) {
    const auto above = finite.lower_bound(row[i]);
    const auto below = above->first == row[i] ? above : std::prev(above);
    const float up = above->first - row[i];
    const float down = row[i] - below->first;
    const float nearest = up < down || (up == down && above->second % 2 == 0) ? above->first : below->first;
    ASSERT_EQ(from_fp8(out[i]), nearest) << row[i];
  }
}

TEST(Fp8Quantisation, ScalesTheLargestToTheLargestAndARowOfZerosByOne) {
  std::vector<uint8_t> out(3);
  EXPECT_EQ(quantize_to_fp8(std::vector<float>{1, -7, 3.5f}, out.data()), 7.0f / 448);
  EXPECT_EQ(from_fp8(out[1]), -448);
  EXPECT_EQ(from_fp8(out[0]), 64);
  EXPECT_EQ(from_fp8(out[2]), 224);
  EXPECT_EQ(quantize_to_fp8(std::vector<float>{0, -0.0f, 0}, out.data()), 1.0f);
  for (const uint8_t bits : out) EXPECT_EQ(from_fp8(bits), 0);
}

}  // namespace
}  // namespace saferoute::cuda
