#include "cuda/gemm.h"

#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <ostream>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "cuda/device_test.h"
#include "cuda/gemm_scale.h"
#include "ort/expect_error.h"

namespace saferoute::cuda {
namespace {

struct Sizes {
  int32_t tokens, outputs, inputs;
};

void PrintTo(const Sizes& sizes, std::ostream* out) {
  *out << sizes.tokens << "x" << sizes.inputs << " by " << sizes.outputs;
}

// The narrowest rows, odd token counts on both sides of a step, and the products of a 1B and an 8B guard.
constexpr Sizes kSizes[] = {{1, 16, 16},     {3, 48, 80},      {33, 256, 144},   {1, 3072, 2048},
                            {7, 2048, 8192}, {129, 4096, 512}, {500, 512, 4096}, {64, 28672, 256}};

template <typename T>
std::vector<T> random_values(int64_t count, uint32_t seed, float scale) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, scale);
  std::vector<T> values;
  values.reserve(static_cast<size_t>(count));
  for (int64_t index = 0; index < count; ++index) values.push_back(T(normal(random)));
  return values;
}

std::vector<float> random_scales(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(0.001f, 0.02f);
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = uniform(random);
  return values;
}

template <typename T>
std::vector<float> floats_of(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

// Of so many elements, a multiple of 8: eight sums side by side do not wait for each other.
double dot(const float* a, const float* b, int32_t size) {
  std::array<double, 8> sums = {};
  for (int32_t at = 0; at < size; at += 8) {
    for (int32_t i = 0; i < 8; ++i) sums[i] += static_cast<double>(a[at + i]) * b[at + i];
  }
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

// In double, of the operands as they are stored, each converted once: in FP8 that takes the host longer than a sum.
template <typename T>
std::vector<double> reference(const std::vector<T>& x, const std::vector<T>& w, const Sizes& sizes) {
  const std::vector<float> x_floats = floats_of(x), w_floats = floats_of(w);
  std::vector<double> out(static_cast<size_t>(sizes.tokens) * sizes.outputs);
  for (int32_t output = 0; output < sizes.outputs; ++output) {
    const float* row = w_floats.data() + static_cast<size_t>(output) * sizes.inputs;
    for (int32_t token = 0; token < sizes.tokens; ++token) {
      const float* from = x_floats.data() + static_cast<size_t>(token) * sizes.inputs;
      out[static_cast<size_t>(token) * sizes.outputs + output] = dot(from, row, sizes.inputs);
    }
  }
  return out;
}

// ‖out − ref‖ / ‖ref‖. NaN, where an element was not written, passes no comparison.
template <typename T>
double relative_error(const std::vector<T>& out, const std::vector<double>& ref) {
  double difference = 0;
  double norm = 0;
  for (size_t index = 0; index < ref.size(); ++index) {
    const double apart = static_cast<double>(float(out[index])) - ref[index];
    difference += apart * apart;
    norm += ref[index] * ref[index];
  }
  return std::sqrt(difference / norm);
}

// bf16 keeps 8 bits: 2⁻⁹ per element at most, less in the mean. f32 sums of exact products lose next to nothing.
double tolerance(OutType type) { return type == OutType::kF32 ? 1e-5 : 3e-3; }
// Hopper keeps about 14 bits of a sum in FP8, so that long sums lose some tenths of a percent.
constexpr double kFp8Tolerance = 1e-2;

class GemmTest : public DeviceTest, public testing::WithParamInterface<std::tuple<Sizes, OutType>> {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    workspace_ = std::make_unique<DeviceVector<std::byte>>(kGemmWorkspaceBytes);
    gemm_ = std::make_unique<Gemm>(CublasLt::load(), workspace_->buffer());
  }

  template <typename T, typename Run>
  void expect_bf16(const Sizes& sizes, OutType type, Run run) {
    const auto x = random_values<Bf16>(int64_t{sizes.tokens} * sizes.inputs, 1, 1.0f);
    const auto w = random_values<Bf16>(int64_t{sizes.outputs} * sizes.inputs, 2, 0.05f);
    const DeviceVector<Bf16> x_device(x), w_device(w);
    const DeviceVector<T> out(int64_t{sizes.tokens} * sizes.outputs);
    run(x_device.data(), w_device.data(), out.data());
    EXPECT_LT(relative_error(out.read(), reference(x, w, sizes)), tolerance(type));
  }

  std::unique_ptr<DeviceVector<std::byte>> workspace_;
  std::unique_ptr<Gemm> gemm_;
};

TEST_P(GemmTest, Bf16IsTheProduct) {
  const auto [sizes, type] = GetParam();
  const auto run = [&](const Bf16* x, const Bf16* w, void* out) {
    gemm_->bf16(x, w, out, type, sizes.tokens, sizes.outputs, sizes.inputs, stream_);
  };
  if (type == OutType::kF32) {
    expect_bf16<float>(sizes, type, run);
  } else {
    expect_bf16<Bf16>(sizes, type, run);
  }
}

TEST_P(GemmTest, ATunedShapeIsTheSameProduct) {
  const auto [sizes, type] = GetParam();
  if (type == OutType::kF32) return;
  expect_bf16<Bf16>(sizes, type, [&](const Bf16* x, const Bf16* w, void* out) {
    const Bf16* layers[] = {w, w};
    gemm_->tune_bf16(x, layers, out, type, sizes.tokens, sizes.outputs, sizes.inputs, stream_);
    EXPECT_EQ(gemm_->picked(), 1u);
    const size_t bytes = size_t{2} * sizes.tokens * sizes.outputs;
    check(cudaMemsetAsync(out, 0xFF, bytes, stream_), "poison");
    gemm_->bf16(x, w, out, type, sizes.tokens, sizes.outputs, sizes.inputs, stream_);
    EXPECT_EQ(gemm_->picked(), 1u);
  });
}

TEST_P(GemmTest, Fp8IsTheScaledProduct) {
  if (compute_capability() < 89) GTEST_SKIP() << "FP8 needs compute capability 8.9, this is " << compute_capability();
  const auto [sizes, type] = GetParam();
  const auto x = random_values<Fp8>(int64_t{sizes.tokens} * sizes.inputs, 3, 100.0f);
  const auto w = random_values<Fp8>(int64_t{sizes.outputs} * sizes.inputs, 4, 100.0f);
  const std::vector<float> x_scale = random_scales(sizes.tokens, 5);
  const std::vector<float> w_scale = random_scales(sizes.outputs, 6);
  std::vector<double> ref = reference(x, w, sizes);
  for (int32_t token = 0; token < sizes.tokens; ++token) {
    for (int32_t output = 0; output < sizes.outputs; ++output) {
      ref[static_cast<size_t>(token) * sizes.outputs + output] *= double{x_scale[token]} * w_scale[output];
    }
  }
  const DeviceVector<Fp8> x_device(x), w_device(w);
  const DeviceVector<float> x_scales(x_scale), w_scales(w_scale);
  const auto error_of = [&](const auto& out) {
    gemm_->fp8(x_device.data(), x_scales.data(), w_device.data(), w_scales.data(), out.data(), type, sizes.tokens,
               sizes.outputs, sizes.inputs, stream_);
    return relative_error(out.read(), ref);
  };
  const int64_t size = int64_t{sizes.tokens} * sizes.outputs;
  const double error = type == OutType::kF32 ? error_of(DeviceVector<float>(size)) : error_of(DeviceVector<Bf16>(size));
  EXPECT_LT(error, kFp8Tolerance);
}

TEST_P(GemmTest, ScalesApartFromTheProductAreTheSame) {
  const auto [sizes, type] = GetParam();
  const int64_t size = int64_t{sizes.tokens} * sizes.outputs;
  const std::vector<float> x_scale = random_scales(sizes.tokens, 7);
  const std::vector<float> w_scale = random_scales(sizes.outputs, 8);
  const DeviceVector<float> x_scales(x_scale), w_scales(w_scale);
  const auto error_of = [&](const auto& values) {
    std::vector<double> ref;
    for (int64_t index = 0; index < size; ++index) {
      ref.push_back(double{float(values[index])} * x_scale[index / sizes.outputs] * w_scale[index % sizes.outputs]);
    }
    const DeviceVector out(values);
    scale_product(out.data(), x_scales.data(), w_scales.data(), type, sizes.tokens, sizes.outputs, stream_);
    return relative_error(out.read(), ref);
  };
  const double error = type == OutType::kF32 ? error_of(random_values<float>(size, 9, 1000.0f))
                                             : error_of(random_values<Bf16>(size, 9, 1000.0f));
  EXPECT_LT(error, type == OutType::kF32 ? 1e-6 : 3e-3);
}

INSTANTIATE_TEST_SUITE_P(Sizes, GemmTest,
                         testing::Combine(testing::ValuesIn(kSizes), testing::Values(OutType::kF32, OutType::kBf16)));

class GemmAlgorithmTest : public GemmTest {};

// A row must not depend on the rows beside it by more than rounding, whatever count the algorithm was picked for.
TEST_P(GemmAlgorithmTest, EveryCountOfAStepIsServed) {
  const auto [sizes, type] = GetParam();
  for (int32_t tokens = 1; tokens <= sizes.tokens; ++tokens) {
    expect_bf16<float>({tokens, sizes.outputs, sizes.inputs}, type, [&](const Bf16* x, const Bf16* w, void* out) {
      gemm_->bf16(x, w, out, type, tokens, sizes.outputs, sizes.inputs, stream_);
    });
  }
}

TEST_P(GemmAlgorithmTest, NoTokensAreNoWork) {
  const auto [sizes, type] = GetParam();
  gemm_->bf16(nullptr, nullptr, nullptr, type, 0, sizes.outputs, sizes.inputs, stream_);
  EXPECT_EQ(gemm_->picked(), 0u);
}

TEST_P(GemmAlgorithmTest, AProductIsCapturedAndReplayed) {
  const auto [sizes, type] = GetParam();
  expect_bf16<float>(sizes, type, [&](const Bf16* x, const Bf16* w, void* out) {
    const auto multiply = [&] { gemm_->bf16(x, w, out, type, sizes.tokens, sizes.outputs, sizes.inputs, stream_); };
    multiply();  // picks the algorithm
    check(cudaMemsetAsync(out, 0xFF, sizeof(float) * sizes.tokens * sizes.outputs, stream_), "poison");
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t exec = nullptr;
    check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "capture");
    multiply();
    check(cudaStreamEndCapture(stream_, &graph), "capture");
    check(cudaGraphInstantiate(&exec, graph, 0), "instantiate");
    check(cudaGraphLaunch(exec, stream_), "launch");
    synchronize();
    cudaGraphExecDestroy(exec);
    cudaGraphDestroy(graph);
  });
}

TEST_P(GemmAlgorithmTest, RowsThatFillNoVectorAreRefused) {
  const auto [sizes, type] = GetParam();
  test::expect_error(ErrorCode::kUnsupported, {"12", "multiple of 8"},
                     [&] { gemm_->bf16(nullptr, nullptr, nullptr, type, 1, sizes.outputs, 12, stream_); });
}

INSTANTIATE_TEST_SUITE_P(Sizes, GemmAlgorithmTest,
                         testing::Combine(testing::Values(Sizes{50, 512, 2048}), testing::Values(OutType::kF32)));

}  // namespace
}  // namespace saferoute::cuda
