// The int8 recipe for weights: per output channel, symmetric. A matrix is stored as the inference library's integer
// GEMM takes it.
#pragma once

#include <cstdint>
#include <vector>

#include "model/model_spec.h"
#include "model/tensor_table.h"
#include "model/weights.h"

namespace saferoute::model {

// Changes with every change of the numbers below or of their layout; part of a weight cache's key.
inline constexpr int32_t kInt8RecipeVersion = 1;

struct Int8Matrix {
  std::vector<int8_t> values;  // (inputs, outputs)
  std::vector<float> scales;   // (outputs): weight ≈ value * scale
};

// One decoder layer. Norms stay f32.
struct Int8LayerWeights {
  std::vector<float> input_norm;      // (hidden)
  Int8Matrix qkv;                     // outputs: query, key, value
  std::vector<float> q_norm, k_norm;  // (head_dim); empty without qk-norm
  Int8Matrix output;
  std::vector<float> post_norm;  // (hidden)
  Int8Matrix gate_up;            // outputs: gate, then up
  Int8Matrix down;
};

// scale[o] = max|weight[o]| / limit, value = weight / scale rounded to nearest even; limit is 127 with 8 bits, 63 with
// 7 (for CPUs whose integer multiply-add saturates at 16 bits). A row of zeros has scale 0.
Int8Matrix quantize_matrix(std::span<const float> weight,  // (outputs, inputs)
                           int64_t outputs, int64_t inputs, int32_t bits);

// Reads layer `index` as load_layer does and quantises its matrices while they pass by, so that it never stands in f32.
// Throws Error(kCheckpoint) or Error(kNotFinite).
Int8LayerWeights load_int8_layer(const TensorTable& table, const ModelSpec& spec, int32_t index, int32_t bits);

}  // namespace saferoute::model
