// What cuBLASLt makes of a large product on this device: the measured peak that guards are held against.
#pragma once

#include <vector>

#include "gpu/results.h"

namespace saferoute::bench {

// TFLOP/s of a product of 8192 x 8192 x 8192 on random numbers. FP8: with a scale to each row and column.
struct GemmPeaks {
  double bf16 = 0;
  double fp8 = 0;  // 0: not computed here
};

// Appends what it measured to `figures`.
GemmPeaks measure_gemm_peaks(bool fp8, std::vector<Figure>& figures);

}  // namespace saferoute::bench
