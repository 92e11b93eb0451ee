// Operands of FP8 products: rows of e4m3 with a scale each.
#pragma once

#include "cuda/element_types.h"

namespace saferoute::cuda {

// Largest finite magnitude of e4m3.
inline constexpr float kFp8Max = 448.0f;

// Element i of row r is values[r][i] * scales[r]. The scale is max |row| / kFp8Max, any finite number for a row of
// zeros, and NaN for one with an element that is not finite, so that no reading comes of it.
struct Fp8Rows {
  Fp8* values = nullptr;    // (rows, size)
  float* scales = nullptr;  // (rows)
};

}  // namespace saferoute::cuda
