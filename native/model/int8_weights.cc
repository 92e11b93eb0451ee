#include "model/int8_weights.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <string>

#include "engine/error.h"

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

}  // namespace

Int8Matrix quantize_matrix(std::span<const float> weight, int64_t outputs, int64_t inputs, int32_t bits) {
  const int32_t limit = largest_value(bits);
  Int8Matrix matrix;
  matrix.values.resize(static_cast<size_t>(outputs * inputs));
  matrix.scales.resize(static_cast<size_t>(outputs));
  std::array<int8_t, kTile * kTile> tile;  // (outputs, inputs)
  for (int64_t output = 0; output < outputs; output += kTile) {
    const int64_t rows = std::min(kTile, outputs - output);
    const float* const source = weight.data() + output * inputs;  // (rows, inputs)
    float* const scales = matrix.scales.data() + output;          // (rows)
    for (int64_t row = 0; row < rows; ++row) scales[row] = row_scale(source + row * inputs, inputs, limit);
    for (int64_t input = 0; input < inputs; input += kTile) {
      const int64_t columns = std::min(kTile, inputs - input);
      for (int64_t row = 0; row < rows; ++row) {
        const float divisor = scales[row] > 0 ? scales[row] : std::numeric_limits<float>::infinity();
        quantize_row(source + row * inputs + input, divisor, tile.data() + row * kTile, columns);
      }
      transpose_tile(tile.data(), matrix.values.data() + input * outputs + output, rows, columns, outputs);
    }
  }
  return matrix;
}

Int8LayerWeights quantize_layer(LayerWeights&& layer, const ModelSpec& spec, int32_t bits) {
  // Each source goes as soon as it is converted.
  const auto take = [&](std::vector<float>& weight, int64_t outputs, int64_t inputs) {
    const std::vector<float> source = std::move(weight);
    return quantize_matrix(source, outputs, inputs, bits);
  };
  const int64_t hidden = spec.hidden_size;
  const int64_t intermediate = spec.intermediate_size;
  return {
      .input_norm = std::move(layer.input_norm),
      .qkv = take(layer.qkv, spec.qkv_size(), hidden),
      .q_norm = std::move(layer.q_norm),
      .k_norm = std::move(layer.k_norm),
      .output = take(layer.output, hidden, spec.query_size()),
      .post_norm = std::move(layer.post_norm),
      .gate_up = take(layer.gate_up, 2 * intermediate, hidden),
      .down = take(layer.down, hidden, intermediate),
  };
}

}  // namespace saferoute::model
