#include "model/int8_weights.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <string>
#include <utility>

#include "engine/error.h"
#include "model/layer_reader.h"

namespace saferoute::model {
namespace {

// Outputs and inputs that are quantised together: a row of the transposed tile is one cache line.
constexpr int64_t kTile = 64;

int32_t largest_value(int32_t bits) {
  if (bits == 8) return 127;
  if (bits == 7) return 63;
  throw Error(ErrorCode::kInvalidArgument, "int8 weights have 7 or 8 bits, not " + std::to_string(bits));
}

// max|row| as integers, whose order is that of the magnitudes and whose maximum the compiler may take in any order.
float largest_magnitude(const float* row,  // (inputs)
                        int64_t inputs) {
  int32_t largest = 0;
  for (int64_t i = 0; i < inputs; ++i) {
    largest = std::max(largest, std::bit_cast<int32_t>(row[i]) & std::numeric_limits<int32_t>::max());
  }
  return std::bit_cast<float>(largest);
}

// A scale too small for a normal f32 would not bring its row into range; such a row counts as zeros.
float row_scale(const float* row,  // (inputs)
                int64_t inputs, int32_t limit) {
  const float scale = largest_magnitude(row, inputs) / static_cast<float>(limit);
  return scale >= std::numeric_limits<float>::min() ? scale : 0.0f;
}

// out[i] = row[i] / divisor, rounded to nearest even: where f32 counts in ones, the addition rounds, and the low byte
// of the sum is the integer.
void quantize_row(const float* __restrict row,  // (count)
                  float divisor,
                  int8_t* __restrict out,  // (count)
                  int64_t count) {
  constexpr float kCountsInOnes = 0x1.8p23f;
  for (int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<int8_t>(std::bit_cast<int32_t>(row[i] / divisor + kCountsInOnes));
  }
}

void transpose_tile(const int8_t* __restrict tile,  // (rows, kTile)
                    int8_t* __restrict out,         // (columns, stride): rows of it
                    int64_t rows, int64_t columns, int64_t stride) {
  for (int64_t column = 0; column < columns; ++column) {
    for (int64_t row = 0; row < rows; ++row) out[column * stride + row] = tile[row * kTile + column];
  }
}

// Rows of a matrix come in, in blocks.
class MatrixQuantizer {
 public:
  MatrixQuantizer(int64_t outputs, int64_t inputs, int32_t bits)
      : outputs_(outputs), inputs_(inputs), limit_(largest_value(bits)) {
    matrix_.values.resize(static_cast<size_t>(outputs * inputs));
    matrix_.scales.resize(static_cast<size_t>(outputs));
  }

  // At most kTile rows.
  void add(int64_t first_row, std::span<const float> block) {
    const int64_t rows = static_cast<int64_t>(block.size()) / inputs_;
    float* const scales = matrix_.scales.data() + first_row;  // (rows)
    for (int64_t row = 0; row < rows; ++row) scales[row] = row_scale(block.data() + row * inputs_, inputs_, limit_);
    std::array<int8_t, kTile * kTile> tile;  // (rows, inputs)
    for (int64_t input = 0; input < inputs_; input += kTile) {
      const int64_t columns = std::min(kTile, inputs_ - input);
      for (int64_t row = 0; row < rows; ++row) {
        const float divisor = scales[row] > 0 ? scales[row] : std::numeric_limits<float>::infinity();
        quantize_row(block.data() + row * inputs_ + input, divisor, tile.data() + row * kTile, columns);
      }
      transpose_tile(tile.data(), matrix_.values.data() + input * outputs_ + first_row, rows, columns, outputs_);
    }
  }

  Int8Matrix take() { return std::move(matrix_); }

 private:
  int64_t outputs_;
  int64_t inputs_;
  int32_t limit_;
  Int8Matrix matrix_;
};

Int8Matrix load_int8_matrix(const LayerReader& reader, const StackedWeight& weight, int32_t bits) {
  MatrixQuantizer quantizer(weight.outputs(), weight.inputs, bits);
  reader.for_each_block(weight, kTile,
                        [&](int64_t first_row, std::span<const float> rows) { quantizer.add(first_row, rows); });
  return quantizer.take();
}

}  // namespace

Int8Matrix quantize_matrix(std::span<const float> weight, int64_t outputs, int64_t inputs, int32_t bits) {
  MatrixQuantizer quantizer(outputs, inputs, bits);
  for (int64_t row = 0; row < outputs; row += kTile) {
    const int64_t rows = std::min(kTile, outputs - row);
    quantizer.add(row, weight.subspan(static_cast<size_t>(row * inputs), static_cast<size_t>(rows * inputs)));
  }
  return quantizer.take();
}

Int8LayerWeights load_int8_layer(const TensorTable& table, const ModelSpec& spec, int32_t index, int32_t bits) {
  LayerWeights norms = load_layer_norms(table, spec, index);
  const LayerReader reader(table, index);
  const LayerMatrices matrices = layer_matrices(spec);
  return {
      .input_norm = std::move(norms.input_norm),
      .qkv = load_int8_matrix(reader, matrices.qkv, bits),
      .q_norm = std::move(norms.q_norm),
      .k_norm = std::move(norms.k_norm),
      .output = load_int8_matrix(reader, matrices.output, bits),
      .post_norm = std::move(norms.post_norm),
      .gate_up = load_int8_matrix(reader, matrices.gate_up, bits),
      .down = load_int8_matrix(reader, matrices.down, bits),
  };
}

}  // namespace saferoute::model
