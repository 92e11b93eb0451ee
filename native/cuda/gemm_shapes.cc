#include "cuda/gemm_shapes.h"

#include <string>

#include "engine/error.h"

namespace saferoute::cuda {
namespace {

constexpr int32_t kFineSteps = 32;  // up to here every power of two is a step, beyond it one and a half of each too

void require_vectors(int32_t size, int32_t multiple, const char* name, const char* operands) {
  if (size % multiple == 0) return;
  throw Error(ErrorCode::kUnsupported, std::string("a product in ") + operands + " of " + std::to_string(size) + " " +
                                           name + ": they must be a multiple of " + std::to_string(multiple));
}

}  // namespace

void require_computable(const GemmShape& shape) {
  if (shape.tokens < 0 || shape.outputs <= 0 || shape.inputs <= 0) {
    throw Error(ErrorCode::kInvalidArgument, "a product of (" + std::to_string(shape.tokens) + ", " +
                                                 std::to_string(shape.inputs) + ") by " +
                                                 std::to_string(shape.outputs) + " outputs: sizes must be positive");
  }
  const bool fp8 = shape.operands == Operands::kFp8;
  require_vectors(shape.inputs, fp8 ? 16 : 8, "inputs", fp8 ? "FP8" : "bf16");
  require_vectors(shape.outputs, fp8 ? 16 : 8, "outputs", fp8 ? "FP8" : "bf16");
}

GemmShape algorithm_shape(const GemmShape& shape) {
  int64_t step = 1;
  while (step < shape.tokens) {
    const int64_t half_more = step + step / 2;
    step = step >= kFineSteps && half_more >= shape.tokens ? half_more : 2 * step;
  }
  GemmShape raised = shape;
  raised.tokens = static_cast<int32_t>(step);
  return raised;
}

}  // namespace saferoute::cuda
