#include "gpu/gemm_case.h"

#include <string>
#include <utility>

#include "cuda/cublas_lt.h"
#include "cuda/fp8_rows.h"
#include "cuda/gemm.h"
#include "cuda/quantize.h"
#include "cuda/stream.h"
#include "gpu/launch_times.h"

namespace saferoute::bench {
namespace {

constexpr int32_t kSize = 8192;
constexpr double kTeraFlop = 2e-12 * kSize * kSize * kSize;

constexpr size_t kElements = size_t{kSize} * kSize;

Figure peak_of(const char* operands, const std::vector<double>& microseconds) {
  std::vector<double> rates;
  for (const double us : microseconds) rates.push_back(kTeraFlop / (us * 1e-6));
  return figure_at_least(std::string("product of 8192 x 8192 x 8192 by cuBLASLt, ") + operands, "TFLOP/s", rates);
}

// Operands of both kinds; 1 GB that later cases do without.
class Products {
 public:
  Products() : gemm_(cuda::CublasLt::load(), workspace()) {}

  Figure bf16() {
    gemm_.tune_bf16(x_, std::vector<const cuda::Bf16*>{w_}, out_, cuda::OutType::kBf16, kSize, kSize, kSize,
                    stream_.get());
    return peak_of("bf16", launch_times([&](cudaStream_t stream) {
                     gemm_.bf16(x_, w_, out_, cuda::OutType::kBf16, kSize, kSize, kSize, stream);
                   }));
  }

  Figure fp8() {
    const cuda::Fp8Rows x = quantized(x_), w = quantized(w_);
    gemm_.tune_fp8(x.values, x.scales, std::vector<const cuda::Fp8*>{w.values}, std::vector<const float*>{w.scales},
                   out_, cuda::OutType::kBf16, kSize, kSize, kSize, stream_.get());
    return peak_of("FP8", launch_times([&](cudaStream_t stream) {
                     gemm_.fp8(x.values, x.scales, w.values, w.scales, out_, cuda::OutType::kBf16, kSize, kSize, kSize,
                               stream);
                   }));
  }

 private:
  static cuda::DeviceBuffer<std::byte> workspace() {
    return {.data = device_copy(std::vector<std::byte>(cuda::kGemmWorkspaceBytes)), .size = cuda::kGemmWorkspaceBytes};
  }

  cuda::Fp8Rows quantized(const cuda::Bf16* values) {
    const cuda::Fp8Rows rows{.values = device_copy(std::vector<cuda::Fp8>(kElements)),
                             .scales = device_copy(std::vector<float>(kSize))};
    cuda::quantize(values, rows, kSize, kSize, stream_.get());
    stream_.wait();
    return rows;
  }

  cuda::Stream stream_;
  cuda::Gemm gemm_;
  const cuda::Bf16* const x_ = device_copy(bf16_noise(kElements, 1, 21));
  const cuda::Bf16* const w_ = device_copy(bf16_noise(kElements, 0.02f, 22));
  cuda::Bf16* const out_ = device_copy(std::vector<cuda::Bf16>(kElements));
};

}  // namespace

std::vector<Figure> measure_gemm_peaks(bool fp8) {
  Products products;
  std::vector<Figure> figures = {products.bf16()};
  if (fp8) figures.push_back(products.fp8());
  return figures;
}

}  // namespace saferoute::bench
