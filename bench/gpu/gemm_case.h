// What cuBLASLt makes of a large product on this device: the measured peak that guards are held against.
#pragma once

#include <vector>

#include "gpu/results.h"

namespace saferoute::bench {

// TFLOP/s of a product of 8192 x 8192 x 8192 on random numbers: in bf16, then in FP8 with a scale to each row and
// column, where the device computes in it.
std::vector<Figure> measure_gemm_peaks(bool fp8);

}  // namespace saferoute::bench
