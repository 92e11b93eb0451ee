#include "cuda/gemm.h"

#include <algorithm>
#include <string>
#include <vector>

#include "cuda/check.h"
#include "cuda/gemm_operation.h"
#include "cuda/gemm_scale.h"
#include "cuda/gemm_timer.h"
#include "engine/error.h"

namespace saferoute::cuda {
namespace {

constexpr int32_t kCandidates = 8;  // that tuning asks the library for

bool is_refusal(cublasStatus_t status) {
  return status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE;
}

}  // namespace

Gemm::Gemm(const CublasLt& library, DeviceBuffer<std::byte> workspace) : library_(library), workspace_(workspace) {
  library_.check(library_.create(&handle_), "create");
}

Gemm::~Gemm() { library_.destroy(handle_); }

void Gemm::bf16(const Bf16* x, const Bf16* w, void* out, OutType type, int32_t tokens, int32_t outputs, int32_t inputs,
                cudaStream_t stream) {
  run({.shape = {Operands::kBf16, type, tokens, outputs, inputs}, .x = x, .w = w, .out = out}, stream);
}

void Gemm::fp8(const Fp8* x, const float* x_scale, const Fp8* w, const float* w_scale, void* out, OutType type,
               int32_t tokens, int32_t outputs, int32_t inputs, cudaStream_t stream) {
  run({.shape = {Operands::kFp8, type, tokens, outputs, inputs},
       .x = x,
       .w = w,
       .x_scale = x_scale,
       .w_scale = w_scale,
       .out = out},
      stream);
}

void Gemm::tune_bf16(const Bf16* x, std::span<const Bf16* const> w, void* out, OutType type, int32_t tokens,
                     int32_t outputs, int32_t inputs, cudaStream_t stream) {
  std::vector<GemmProduct> products;
  for (const Bf16* layer : w) {
    products.push_back({.shape = {Operands::kBf16, type, tokens, outputs, inputs}, .x = x, .w = layer, .out = out});
  }
  tune(products, stream);
}

void Gemm::tune_fp8(const Fp8* x, const float* x_scale, std::span<const Fp8* const> w,
                    std::span<const float* const> w_scale, void* out, OutType type, int32_t tokens, int32_t outputs,
                    int32_t inputs, cudaStream_t stream) {
  std::vector<GemmProduct> products;
  for (size_t layer = 0; layer < w.size(); ++layer) {
    products.push_back({.shape = {Operands::kFp8, type, tokens, outputs, inputs},
                        .x = x,
                        .w = w[layer],
                        .x_scale = x_scale,
                        .w_scale = w_scale[layer],
                        .out = out});
  }
  tune(products, stream);
}

void Gemm::run(const GemmProduct& product, cudaStream_t stream) {
  require_computable(product.shape);
  if (product.shape.tokens == 0) return;
  if (launch(product, algorithm_for(product), stream) == CUBLAS_STATUS_SUCCESS) return;
  // The algorithm of the step does not serve this very count, by whatever status it says so: one of its own, from now
  // on. What ails the device itself fails this one too.
  const GemmAlgorithm exact = propose(product, 1).front();
  library_.check(launch(product, exact, stream), "product");
  algorithms_.insert_or_assign(product.shape, exact);
}

const GemmAlgorithm& Gemm::algorithm_for(const GemmProduct& product) {
  if (const auto exact = algorithms_.find(product.shape); exact != algorithms_.end()) return exact->second;
  GemmProduct raised = product;  // its pointers are looked at, never read
  raised.shape = algorithm_shape(product.shape);
  const auto known = algorithms_.find(raised.shape);
  if (known != algorithms_.end()) return known->second;
  return algorithms_.emplace(raised.shape, propose(raised, 1).front()).first->second;
}

std::vector<GemmAlgorithm> Gemm::propose(const GemmProduct& product, int32_t most) const {
  std::vector<GemmAlgorithm> found;
  if (product.shape.operands == Operands::kFp8) found = propose(product, most, GemmScales::kInside);
  if (found.empty()) found = propose(product, most, GemmScales::kOutside);
  if (!found.empty()) return found;
  const GemmShape& shape = product.shape;
  throw Error(ErrorCode::kUnsupported, "cuBLASLt " + library_.version_text() + " has no algorithm on this GPU for (" +
                                           std::to_string(shape.tokens) + ", " + std::to_string(shape.inputs) +
                                           ") by " + std::to_string(shape.outputs) + " outputs in " +
                                           (shape.operands == Operands::kFp8 ? "FP8" : "bf16"));
}

std::vector<GemmAlgorithm> Gemm::propose(const GemmProduct& product, int32_t most, GemmScales scales) const {
  GemmOperation operation(library_, product, scales);
  GemmPreference preference(library_, static_cast<uint64_t>(workspace_.bytes()));
  std::vector<cublasLtMatmulHeuristicResult_t> results(static_cast<size_t>(most));
  int count = 0;
  const cublasStatus_t status = library_.find_algorithms(
      handle_, operation.operation(), operation.w_layout(), operation.x_layout(), operation.out_layout(),
      operation.out_layout(), preference.get(), most, results.data(), &count);
  if (is_refusal(status)) return {};
  library_.check(status, "algorithms of a shape");

  std::vector<GemmAlgorithm> found;
  for (int index = 0; index < count; ++index) {
    if (results[index].state == CUBLAS_STATUS_SUCCESS) found.push_back({.algo = results[index].algo, .scales = scales});
  }
  return found;
}

cublasStatus_t Gemm::launch(const GemmProduct& product, const GemmAlgorithm& algorithm, cudaStream_t stream) const {
  static constexpr float kOne = 1.0f;
  static constexpr float kZero = 0.0f;
  GemmOperation operation(library_, product, algorithm.scales);
  const cublasStatus_t status = library_.matmul(
      handle_, operation.operation(), &kOne, product.w, operation.w_layout(), product.x, operation.x_layout(), &kZero,
      product.out, operation.out_layout(), product.out, operation.out_layout(), &algorithm.algo, workspace_.data,
      static_cast<size_t>(workspace_.bytes()), stream);
  const GemmShape& shape = product.shape;
  if (status == CUBLAS_STATUS_SUCCESS && shape.operands == Operands::kFp8 && algorithm.scales == GemmScales::kOutside) {
    scale_product(product.out, product.x_scale, product.w_scale, shape.out_type, shape.tokens, shape.outputs, stream);
  }
  return status;
}

void Gemm::tune(std::span<const GemmProduct> products, cudaStream_t stream) {
  if (products.empty() || products.front().shape.tokens == 0) return;
  require_computable(products.front().shape);
  GemmTimer timer(stream);
  const std::vector<GemmAlgorithm> candidates = propose(products.front(), kCandidates);
  const GemmAlgorithm* fastest = nullptr;
  float least_ms = 0;
  cublasStatus_t failure = CUBLAS_STATUS_NOT_SUPPORTED;
  for (const GemmAlgorithm& candidate : candidates) {
    if (const cublasStatus_t status = launch(products.front(), candidate, stream); status != CUBLAS_STATUS_SUCCESS) {
      failure = status;
      continue;
    }
    const float ms = timer.mean_ms([&](size_t turn) {
      library_.check(launch(products[turn % products.size()], candidate, stream), "product being timed");
    });
    if (fastest == nullptr || ms < least_ms) {
      fastest = &candidate;
      least_ms = ms;
    }
  }
  if (fastest == nullptr) {
    if (!is_refusal(failure)) library_.check(failure, "every algorithm that it proposes");
    throw Error(ErrorCode::kUnsupported, "cuBLASLt refuses every algorithm that it proposes");
  }
  algorithms_.insert_or_assign(algorithm_shape(products.front().shape), *fastest);
}

}  // namespace saferoute::cuda
