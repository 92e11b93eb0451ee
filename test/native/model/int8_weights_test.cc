#include "model/int8_weights.h"

#include <cmath>
#include <limits>

#include "model/checkpoint_file.h"
#include "random_floats.h"

namespace saferoute::model {
namespace {

// The recipe as its header has it, element by element.
Int8Matrix reference(std::span<const float> weight, int64_t outputs, int64_t inputs, int32_t limit) {
  Int8Matrix matrix{.values = std::vector<int8_t>(weight.size()), .scales = std::vector<float>(size_t(outputs))};
  for (int64_t o = 0; o < outputs; ++o) {
    float largest = 0;
    for (int64_t i = 0; i < inputs; ++i) largest = std::max(largest, std::fabs(weight[size_t(o * inputs + i)]));
    const float scale = largest / static_cast<float>(limit);
    matrix.scales[size_t(o)] = scale;
    for (int64_t i = 0; i < inputs; ++i) {
      const float exact = scale == 0 ? 0 : weight[size_t(o * inputs + i)] / scale;
      matrix.values[size_t(i * outputs + o)] = static_cast<int8_t>(std::nearbyint(exact));
    }
  }
  return matrix;
}

void expect_equal(const Int8Matrix& found, const Int8Matrix& expected) {
  EXPECT_EQ(found.scales, expected.scales);
  EXPECT_EQ(found.values, expected.values);
}

class Int8Weights : public testing::TestWithParam<int32_t> {
 protected:
  int32_t bits() const { return GetParam(); }
  int32_t limit() const { return bits() == 8 ? 127 : 63; }
};
INSTANTIATE_TEST_SUITE_P(Bits, Int8Weights, testing::Values(7, 8));

TEST_P(Int8Weights, AreTheRecipeForEverySize) {
  uint32_t seed = 1;
  for (const int64_t outputs : {1, 3, 63, 64, 65, 130}) {
    for (const int64_t inputs : {1, 2, 17, 63, 64, 65, 200}) {
      const std::vector<float> weight = random_floats(size_t(outputs * inputs), seed++, 0.05f);
      expect_equal(quantize_matrix(weight, outputs, inputs, bits()), reference(weight, outputs, inputs, limit()));
    }
  }
}

TEST_P(Int8Weights, ReachTheLimitOnBothSides) {
  const Int8Matrix matrix = quantize_matrix(std::array{0.7f, -0.7f, 0.1f}, 1, 3, bits());
  EXPECT_EQ(matrix.values[0], limit());
  EXPECT_EQ(matrix.values[1], -limit());
}

TEST_P(Int8Weights, RoundHalvesToEven) {
  // The scale is 1/8, so that each weight is a number of eighths.
  const auto full = static_cast<float>(limit()) / 8;
  const std::array weight{full, 0.5f / 8, 1.5f / 8, 2.5f / 8, 3.5f / 8, -0.5f / 8, -1.5f / 8, -2.5f / 8};
  const Int8Matrix matrix = quantize_matrix(weight, 1, 8, bits());
  EXPECT_EQ(matrix.scales, std::vector{0.125f});
  const auto largest = static_cast<int8_t>(limit());
  EXPECT_EQ(matrix.values, (std::vector<int8_t>{largest, 0, 2, 2, 4, 0, -2, -2}));
}

TEST_P(Int8Weights, RowOfZerosHasNoScale) {
  const Int8Matrix matrix = quantize_matrix(std::array{0.0f, -0.0f, 2.0f, 1.0f, 0.0f, 0.0f}, 3, 2, bits());
  EXPECT_EQ(matrix.scales[0], 0.0f);
  EXPECT_GT(matrix.scales[1], 0.0f);
  EXPECT_EQ(matrix.scales[2], 0.0f);
  EXPECT_EQ(matrix.values[0 * 3 + 0], 0);
  EXPECT_EQ(matrix.values[1 * 3 + 0], 0);
  EXPECT_EQ(matrix.values[0 * 3 + 1], limit());
}

// Their scale would be subnormal and the values beyond the limit.
TEST_P(Int8Weights, VanishingRowsCountAsZeros) {
  constexpr float kLeast = std::numeric_limits<float>::denorm_min();
  for (const float largest : {kLeast, 190 * kLeast, std::numeric_limits<float>::min()}) {
    const Int8Matrix matrix = quantize_matrix(std::array{largest, -largest}, 1, 2, bits());
    EXPECT_EQ(matrix.scales, std::vector{0.0f});
    EXPECT_EQ(matrix.values, (std::vector<int8_t>{0, 0}));
  }
}

TEST_P(Int8Weights, HugeRowsStayInRange) {
  constexpr float kMost = std::numeric_limits<float>::max();
  const Int8Matrix matrix = quantize_matrix(std::array{kMost, -kMost, 0.0f}, 1, 3, bits());
  const auto largest = static_cast<int8_t>(limit());
  EXPECT_EQ(matrix.values, (std::vector<int8_t>{largest, static_cast<int8_t>(-largest), 0}));
}

TEST_P(Int8Weights, LayerIsThatOfTheCheckpointWithItsMatricesConverted) {
  ModelSpec spec = tiny_spec();
  spec.qk_norm = true;
  spec.intermediate_size = 70;  // more than a tile, and two of them no whole number of tiles
  TemporaryFolder folder;
  const TensorTable table = counting_checkpoint(spec).open(folder);
  const LayerWeights source = load_layer(table, spec, 1);
  const Int8LayerWeights layer = load_int8_layer(table, spec, 1, bits());
  EXPECT_EQ(layer.input_norm, source.input_norm);
  EXPECT_EQ(layer.post_norm, source.post_norm);
  EXPECT_EQ(layer.q_norm, source.q_norm);
  EXPECT_EQ(layer.k_norm, source.k_norm);
  const auto convert = [&](const std::vector<float>& weight, int64_t outputs, int64_t inputs) {
    return reference(weight, outputs, inputs, limit());
  };
  expect_equal(layer.qkv, convert(source.qkv, spec.qkv_size(), spec.hidden_size));
  expect_equal(layer.output, convert(source.output, spec.hidden_size, spec.query_size()));
  expect_equal(layer.gate_up, convert(source.gate_up, 2 * spec.intermediate_size, spec.hidden_size));
  expect_equal(layer.down, convert(source.down, spec.hidden_size, spec.intermediate_size));
}

TEST(Int8Layer, NotFiniteNamesTensorAndElement) {
  CheckpointFile file = counting_checkpoint(tiny_spec());
  const float bad = NAN;
  std::memcpy(file.bytes.data() + file.entry("model.layers.1.mlp.up_proj.weight").offset + 31 * 4, &bad, sizeof(bad));
  TemporaryFolder folder;
  const TensorTable table = file.open(folder);
  expect_error(ErrorCode::kNotFinite, "tensor 'model.layers.1.mlp.up_proj.weight': element 31 is NaN",
               [&] { load_int8_layer(table, tiny_spec(), 1, 8); });
}

TEST(Int8WeightBits, OthersAreRefused) {
  for (const int32_t bits : {0, 6, 9}) {
    expect_error(ErrorCode::kInvalidArgument, "have 7 or 8 bits, not " + std::to_string(bits),
                 [&] { quantize_matrix(std::array{1.0f}, 1, 1, bits); });
  }
}

}  // namespace
}  // namespace saferoute::model
