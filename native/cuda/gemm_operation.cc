#include "cuda/gemm_operation.h"

namespace saferoute::cuda {
namespace {

constexpr uint32_t kAlignmentBytes = 16;

// Hopper's tensor cores keep about 14 bits of an FP8 sum. Carrying partial sums over into full f32 registers costs them
// speed, and what it saves of error is well below what rounding to e4m3 has cost already.
constexpr int8_t kFastSums = 1;

cudaDataType_t type_of(Operands operands) { return operands == Operands::kFp8 ? CUDA_R_8F_E4M3 : CUDA_R_16BF; }

cudaDataType_t type_of(OutType type) { return type == OutType::kF32 ? CUDA_R_32F : CUDA_R_16BF; }

}  // namespace

GemmOperation::GemmOperation(const CublasLt& library, const GemmProduct& product, GemmScales scales) {
  const auto set = [&](cublasLtMatmulDescAttributes_t attribute, const auto& value) {
    library.check(library.set_operation(operation_.get(), attribute, &value, sizeof(value)), "set an operation");
  };
  const auto lay = [&](OpaqueStorage<cublasLtMatrixLayout_t>& layout, cudaDataType_t type, int32_t rows,
                       int32_t columns) {
    library.check(library.init_layout(layout.get(), layout.size(), type, static_cast<uint64_t>(rows),
                                      static_cast<uint64_t>(columns), rows),
                  "lay out a matrix");
  };
  const GemmShape& shape = product.shape;
  library.check(library.init_operation(operation_.get(), operation_.size(), CUBLAS_COMPUTE_32F, CUDA_R_32F),
                "init an operation");
  set(CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
  set(CUBLASLT_MATMUL_DESC_TRANSB, CUBLAS_OP_N);
  if (shape.operands == Operands::kFp8) set(CUBLASLT_MATMUL_DESC_FAST_ACCUM, kFastSums);
  if (scales == GemmScales::kInside) {
    set(CUBLASLT_MATMUL_DESC_A_SCALE_MODE, CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F);
    set(CUBLASLT_MATMUL_DESC_B_SCALE_MODE, CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F);
    set(CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, product.w_scale);
    set(CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, product.x_scale);
  }
  lay(w_, type_of(shape.operands), shape.inputs, shape.outputs);
  lay(x_, type_of(shape.operands), shape.inputs, shape.tokens);
  lay(out_, type_of(shape.out_type), shape.outputs, shape.tokens);
}

GemmPreference::GemmPreference(const CublasLt& library, uint64_t workspace_bytes) {
  const auto set = [&](cublasLtMatmulPreferenceAttributes_t attribute, const auto& value) {
    library.check(library.set_preference(preference_.get(), attribute, &value, sizeof(value)), "set a preference");
  };
  library.check(library.init_preference(preference_.get(), preference_.size()), "init a preference");
  set(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, workspace_bytes);
  for (const cublasLtMatmulPreferenceAttributes_t alignment :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
    set(alignment, kAlignmentBytes);
  }
}

}  // namespace saferoute::cuda
