// Products of activations with weights, by cuBLASLt. The algorithm for a shape is picked once and kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include <cuda_runtime_api.h>

#include "cuda/cublas_lt.h"
#include "cuda/device_buffer.h"
#include "cuda/element_types.h"
#include "cuda/gemm_operation.h"
#include "cuda/gemm_shapes.h"

namespace saferoute::cuda {

// Workspace that the fastest algorithms of Hopper ask for; fewer bytes only narrow the choice.
inline constexpr int64_t kGemmWorkspaceBytes = 32 << 20;

// Owned by a backend; used on its thread and on one stream at a time, because all products share the workspace.
// No product allocates or synchronises, so each can be captured in a graph, once its shape has an algorithm: cuBLASLt
// 13.3 fails to propose one while a stream is captured (CUBLAS_STATUS_INTERNAL_ERROR).
class Gemm {
 public:
  // `workspace` comes from the arena, at a multiple of 256 bytes, and outlives this.
  Gemm(const CublasLt& library, DeviceBuffer<std::byte> workspace);
  ~Gemm();
  Gemm(const Gemm&) = delete;
  Gemm& operator=(const Gemm&) = delete;

  // out (tokens, outputs) = x (tokens, inputs) · wᵀ, summed in f32. `out` holds floats or Bf16s as `type` says, and
  // overlaps nothing. All pointers at multiples of 16 bytes, sizes as require_computable() of gemm_shapes.h; no tokens
  // are no work.
  void bf16(const Bf16* x,  // (tokens, inputs)
            const Bf16* w,  // (outputs, inputs)
            void* out,      // (tokens, outputs)
            OutType type, int32_t tokens, int32_t outputs, int32_t inputs, cudaStream_t stream);

  // The same with out[t][o] = x_scale[t] · w_scale[o] · (x · wᵀ)[t][o]. Needs compute capability 8.9 or newer. On
  // Hopper the scales are part of the product; elsewhere a pass over `out` follows it.
  void fp8(const Fp8* x,          // (tokens, inputs)
           const float* x_scale,  // (tokens)
           const Fp8* w,          // (outputs, inputs)
           const float* w_scale,  // (outputs)
           void* out,             // (tokens, outputs)
           OutType type, int32_t tokens, int32_t outputs, int32_t inputs, cudaStream_t stream);

  // Times the algorithms that the library proposes for a shape and keeps the fastest; without it the library's own
  // guess is kept. For warm-up: it synchronises, and must not run while a stream is captured. `w` are the layers'
  // weights, read in turn, as a pass reads them from device memory rather than from the cache. `out` is overwritten.
  void tune_bf16(const Bf16* x, std::span<const Bf16* const> w, void* out, OutType type, int32_t tokens,
                 int32_t outputs, int32_t inputs, cudaStream_t stream);
  void tune_fp8(const Fp8* x, const float* x_scale, std::span<const Fp8* const> w,
                std::span<const float* const> w_scale, void* out, OutType type, int32_t tokens, int32_t outputs,
                int32_t inputs, cudaStream_t stream);

  // Shapes that have an algorithm; tests hold it against what was asked.
  size_t picked() const { return algorithms_.size(); }

 private:
  void run(const GemmProduct& product, cudaStream_t stream);
  const GemmAlgorithm& algorithm_for(const GemmProduct& product);
  std::vector<GemmAlgorithm> propose(const GemmProduct& product, int32_t most) const;
  std::vector<GemmAlgorithm> propose(const GemmProduct& product, int32_t most, GemmScales scales) const;
  cublasStatus_t launch(const GemmProduct& product, const GemmAlgorithm& algorithm, cudaStream_t stream) const;
  void tune(std::span<const GemmProduct> products, cudaStream_t stream);

  CublasLt library_;
  cublasLtHandle_t handle_ = nullptr;
  DeviceBuffer<std::byte> workspace_;
  // By algorithm_shape(); by the very shape where the step's algorithm does not serve it.
  std::map<GemmShape, GemmAlgorithm> algorithms_;
};

}  // namespace saferoute::cuda
