// One product in cuBLASLt's own terms: the descriptors that a call takes, made on the stack so that no call allocates.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cuda/cublas_lt.h"
#include "cuda/gemm_shapes.h"

namespace saferoute::cuda {

// Where the scales of an FP8 product are applied: in the product (Hopper), or by a pass over its output.
enum class GemmScales { kInside, kOutside };

struct GemmProduct {
  GemmShape shape;
  const void* x = nullptr;         // (tokens, inputs)
  const void* w = nullptr;         // (outputs, inputs)
  const float* x_scale = nullptr;  // (tokens); FP8 only, as the next
  const float* w_scale = nullptr;  // (outputs)
  void* out = nullptr;             // (tokens, outputs)
};

struct GemmAlgorithm {
  cublasLtMatmulAlgo_t algo = {};
  GemmScales scales = GemmScales::kOutside;
};

// Memory for one of the library's opaque structures. Larger than any of them has been, since the library loaded may be
// newer than the headers; it is told the size and refuses one that is too small.
template <typename Handle>
class OpaqueStorage {
 public:
  Handle get() { return reinterpret_cast<Handle>(bytes_); }
  static constexpr size_t size() { return sizeof(bytes_); }

 private:
  alignas(16) std::byte bytes_[1024];
};

// The library thinks in columns: our rows (tokens, outputs) are its columns (outputs × tokens), so that w is its first
// operand, transposed, and x its second, plain. It is the one arrangement that FP8 has.
class GemmOperation {
 public:
  // Throws Error(kBackend) where the library refuses the description.
  GemmOperation(const CublasLt& library, const GemmProduct& product, GemmScales scales);

  cublasLtMatmulDesc_t operation() { return operation_.get(); }
  cublasLtMatrixLayout_t w_layout() { return w_.get(); }
  cublasLtMatrixLayout_t x_layout() { return x_.get(); }
  cublasLtMatrixLayout_t out_layout() { return out_.get(); }

 private:
  OpaqueStorage<cublasLtMatmulDesc_t> operation_;
  OpaqueStorage<cublasLtMatrixLayout_t> w_, x_, out_;
};

// What an algorithm may use: `workspace_bytes`, and pointers at multiples of 16 bytes.
class GemmPreference {
 public:
  GemmPreference(const CublasLt& library, uint64_t workspace_bytes);
  cublasLtMatmulPreference_t get() { return preference_.get(); }

 private:
  OpaqueStorage<cublasLtMatmulPreference_t> preference_;
};

}  // namespace saferoute::cuda
