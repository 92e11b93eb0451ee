// Which products share an algorithm, and which can be computed at all. Plain C++, no header of CUDA.
#pragma once

#include <compare>
#include <cstdint>

namespace saferoute::cuda {

enum class OutType { kF32, kBf16 };
enum class Operands { kBf16, kFp8 };

// out (tokens, outputs) = x (tokens, inputs) · wᵀ, w (outputs, inputs)
struct GemmShape {
  Operands operands = Operands::kBf16;
  OutType out_type = OutType::kBf16;
  int32_t tokens = 0;
  int32_t outputs = 0;
  int32_t inputs = 0;

  auto operator<=>(const GemmShape&) const = default;
};

// Throws Error(kInvalidArgument) for sizes that are not positive (tokens may be 0), and Error(kUnsupported) where rows
// do not fill whole 16-byte vectors: inputs and outputs must be multiples of 8 in bf16, of 16 in FP8.
void require_computable(const GemmShape& shape);

// The shape that an algorithm is picked for: the tokens are raised to the next step of 1, 2, 4, 8, 16, 32, 48, 64, 96,
// 128, … (a power of two and the half of the next), so that every token count has an algorithm after a few picks. A
// step's last count fills its tiles best, and an algorithm serves any smaller count.
GemmShape algorithm_shape(const GemmShape& shape);

}  // namespace saferoute::cuda
