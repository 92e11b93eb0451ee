// The exponential of a softmax, whose argument is never above 0, as accurate as what follows it can use.
#pragma once

#include "cpu/kernels/lanes.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

// Coefficients of 2^r for |r| <= 1/2, highest first, behind them 1 for r = 0: the least largest relative error, found
// by weighted least squares. ExpOfF32: 2e-9, less than its evaluation rounds. ExpOfBf16: 2.9e-6, for weights that are
// rounded to 8 bits.
struct ExpOfF32 {
  static constexpr float kCoefficients[] = {0x1.41fbbcp-13f, 0x1.5f3e54p-10f, 0x1.3b2d4cp-7f,
                                            0x1.c6aee8p-5f,  0x1.ebfbdcp-3f,  0x1.62e43p-1f};
};
struct ExpOfBf16 {
  static constexpr float kCoefficients[] = {0x1.3a02ccp-7f, 0x1.c9fc46p-5f, 0x1.ec0378p-3f, 0x1.62e12cp-1f};
};

// e^x for x <= 0, to a relative error of 2^-22 (ExpOfF32) or 2^-18 (ExpOfBf16), and |x| * 2^-23 more that comes of
// x * log2(e). Exactly 1 for 0, 0 below the smallest normal result, so for -infinity too. NaN stays NaN.
template <typename Accuracy>
inline Lanes softmax_exp(Lanes x) {
  constexpr float kLog2E = 0x1.715476p+0f;
  constexpr float kRound =
      0x1.8p23f + 127.0f;  // adding it leaves the nearest integer's exponent bits in the lowest ones
  constexpr float kLowest = -87.33654f;
  const Lanes shifted = x * kLog2E + kRound;
  const Lanes r = x * kLog2E - (shifted - kRound);
  Lanes p = broadcast(Accuracy::kCoefficients[0]);
  constexpr int kCount = sizeof(Accuracy::kCoefficients) / sizeof(float);
  for (int i = 1; i < kCount; ++i) p = p * r + Accuracy::kCoefficients[i];
  p = p * r + 1.0f;
  const Lanes power = (Lanes)((IntLanes)shifted << 23);
  return x < broadcast(kLowest) ? Lanes{} : p * power;
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
