// Element types of checkpoints to f32, exactly.
#pragma once

#include <cstddef>
#include <cstdint>

#include "model/tensor_table.h"

namespace saferoute::model {

// out[i] = float(source[i]). `source` needs no alignment. NaNs stay NaNs and infinities stay infinities.
// Throws Error(kUnsupported) for integers.
void convert_elements(DType dtype,
                      const std::byte* source,  // (count) elements of `dtype`
                      float* out,               // (count)
                      int64_t count);

// Index of the first NaN or infinity in values (count), or -1.
int64_t first_not_finite(const float* values, int64_t count);

}  // namespace saferoute::model
