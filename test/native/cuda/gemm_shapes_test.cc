#include "cuda/gemm_shapes.h"

#include <gtest/gtest.h>

#include "ort/expect_error.h"

namespace saferoute::cuda {
namespace {

int32_t step_of(int32_t tokens) {
  return algorithm_shape({Operands::kBf16, OutType::kBf16, tokens, 2048, 2048}).tokens;
}

TEST(GemmShapes, TokensRiseToTheNextStep) {
  EXPECT_EQ(step_of(1), 1);
  EXPECT_EQ(step_of(2), 2);
  EXPECT_EQ(step_of(3), 4);
  EXPECT_EQ(step_of(17), 32);
  EXPECT_EQ(step_of(32), 32);
  EXPECT_EQ(step_of(33), 48);
  EXPECT_EQ(step_of(48), 48);
  EXPECT_EQ(step_of(49), 64);
  EXPECT_EQ(step_of(1000), 1024);
  EXPECT_EQ(step_of(1025), 1536);
  EXPECT_EQ(step_of(1537), 2048);
}

TEST(GemmShapes, AStepIsItsOwnAndWastesLessThanHalf) {
  for (int32_t tokens = 1; tokens <= 70000; ++tokens) {
    const int32_t step = step_of(tokens);
    ASSERT_GE(step, tokens);
    ASSERT_LT(step, 2 * tokens) << tokens;
    ASSERT_EQ(step_of(step), step) << tokens;
    if (tokens > 32) {
      ASSERT_LE(2 * step, 3 * tokens) << tokens;
    }
  }
}

TEST(GemmShapes, TheRestOfAShapeStays) {
  const GemmShape shape = {Operands::kFp8, OutType::kF32, 100, 4096, 14336};
  GemmShape raised = shape;
  raised.tokens = 128;
  EXPECT_EQ(algorithm_shape(shape), raised);
}

TEST(GemmShapes, RowsFillWholeVectors) {
  const GemmShape bf16 = {Operands::kBf16, OutType::kBf16, 3, 40, 72};
  EXPECT_NO_THROW(require_computable(bf16));
  GemmShape shape = bf16;
  shape.inputs = 76;
  test::expect_error(ErrorCode::kUnsupported, {"76", "inputs", "bf16", "8"}, [&] { require_computable(shape); });
  shape = bf16;
  shape.outputs = 44;
  test::expect_error(ErrorCode::kUnsupported, {"44", "outputs", "8"}, [&] { require_computable(shape); });
  shape = bf16;
  shape.operands = Operands::kFp8;
  shape.outputs = 48;
  test::expect_error(ErrorCode::kUnsupported, {"72", "inputs", "FP8", "16"}, [&] { require_computable(shape); });
}

TEST(GemmShapes, SizesArePositive) {
  const GemmShape shape = {Operands::kBf16, OutType::kBf16, 0, 8, 8};
  EXPECT_NO_THROW(require_computable(shape));
  for (int32_t GemmShape::* size : {&GemmShape::tokens, &GemmShape::outputs, &GemmShape::inputs}) {
    GemmShape wrong = shape;
    wrong.*size = -8;
    test::expect_error(ErrorCode::kInvalidArgument, {"-8"}, [&] { require_computable(wrong); });
  }
}

}  // namespace
}  // namespace saferoute::cuda
