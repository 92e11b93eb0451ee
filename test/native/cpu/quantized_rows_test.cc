#include "cpu/quantized_rows.h"

#include <limits>
#include <numeric>

#include "cpu/kernel_test.h"

namespace saferoute::cpu {
namespace {

class QuantizedRows : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(Variants, QuantizedRows, every_variant_and_schedule(), variant_and_schedule);

struct Size {
  int64_t tokens, width;
};
constexpr Size kSizes[] = {{1, 1},  {15, 3},   {16, 15},  {17, 16},  {33, 17}, {300, 33},
                           {2, 64}, {300, 64}, {17, 100}, {1, 2048}, {9, 2048}};

// The sums of a GEMM with their scales, and what they stand for.
struct Sums {
  std::vector<int32_t> sums;
  std::vector<float> token_scale, weight_scale;
  std::vector<double> values;

  Sums(int64_t tokens, int64_t outputs, unsigned seed, float spread = 1.0f) {
    for (const float value : random_floats(tokens * outputs, seed, 20000.0f)) {
      sums.push_back(static_cast<int32_t>(value));
    }
    for (const float value : random_floats(tokens, seed + 1)) token_scale.push_back(0.005f + 0.001f * std::abs(value));
    for (const float value : random_floats(outputs, seed + 2)) {
      weight_scale.push_back(spread * (0.005f + 0.001f * std::abs(value)));
    }
    for (size_t i = 0; i < sums.size(); ++i) {
      values.push_back(static_cast<double>(sums[i]) * token_scale[i / outputs] * weight_scale[i % outputs]);
    }
  }

  QuantizedSums view() const { return {sums.data(), token_scale.data(), weight_scale.data()}; }
};

struct Quantized {
  std::vector<uint8_t> bytes;
  std::vector<float> scale;

  Quantized(int64_t tokens, int64_t size) : bytes(tokens * size), scale(tokens, -1.0f) {}
};

double silu(double x) { return x / (1.0 + std::exp(-x)); }

// Every element within half a step of the exact value, every scale that of its token; and, over all, the cosine to the
// recipe carried out plainly.
void expect_recipe(const Quantized& actual, const std::vector<double>& exact) {
  const size_t size = exact.size() / actual.scale.size();
  double product = 0, actual_squares = 0, plain_squares = 0;
  for (size_t t = 0; t < actual.scale.size(); ++t) {
    double magnitude = 0;
    for (size_t i = 0; i < size; ++i) magnitude = std::max(magnitude, std::abs(exact[t * size + i]));
    const double step = magnitude / 127;
    ASSERT_NEAR(actual.scale[t], step, 1e-5 * step) << "token " << t;
    for (size_t i = t * size; i < (t + 1) * size; ++i) {
      const double value = (actual.bytes[i] - 128.0) * actual.scale[t];
      ASSERT_NEAR(value, exact[i], 0.501 * step) << "element " << i;
      const double plain = step > 0 ? std::nearbyint(exact[i] / step) * step : 0;
      product += value * plain;
      actual_squares += value * value;
      plain_squares += plain * plain;
    }
  }
  ASSERT_GE(product, 0.99999 * std::sqrt(actual_squares * plain_squares));
}

std::vector<double> normed(const std::vector<double>& x, const std::vector<float>& weight, double eps) {
  const size_t size = weight.size();
  std::vector<double> out(x.size());
  for (size_t from = 0; from < x.size(); from += size) {
    const double squares = std::inner_product(&x[from], &x[from] + size, &x[from], 0.0);
    for (size_t i = 0; i < size; ++i) {
      out[from + i] = weight[i] * x[from + i] / std::sqrt(squares / static_cast<double>(size) + eps);
    }
  }
  return out;
}

TEST_P(QuantizedRows, QuantizeFollowsTheRecipe) {
  for (const auto [tokens, size] : kSizes) {
    const auto x = random_floats(tokens * size, 1, 3.0f);
    Quantized out(tokens, size);
    quantize_rows(x.data(), out.bytes.data(), out.scale.data(), tokens, size, parallel_for(), kernels());
    expect_recipe(out, {x.begin(), x.end()});
  }
}

// With a magnitude of 127 the step is 1, and every other half is a tie.
TEST_P(QuantizedRows, TiesGoToTheEvenInteger) {
  std::vector<float> x = {127.0f, -127.0f};
  std::vector<uint8_t> expected = {255, 1};
  for (int i = -100; i <= 100; ++i) {
    x.push_back(static_cast<float>(i) + 0.5f);
    expected.push_back(static_cast<uint8_t>(128 + (i % 2 == 0 ? i : i + 1)));
  }
  Quantized out(1, static_cast<int64_t>(x.size()));
  quantize_rows(x.data(), out.bytes.data(), out.scale.data(), 1, static_cast<int64_t>(x.size()), parallel_for(),
                kernels());
  EXPECT_EQ(out.scale[0], 1.0f);
  EXPECT_EQ(out.bytes, expected);
}

TEST_P(QuantizedRows, ZerosHaveScaleZero) {
  for (const int64_t size : {1, 17, 64}) {
    std::vector<float> x(3 * size, 0.0f);
    x[size] = -2.0f;  // the token between two rows of zeros
    Quantized out(3, size);
    quantize_rows(x.data(), out.bytes.data(), out.scale.data(), 3, size, parallel_for(), kernels());
    EXPECT_EQ(out.scale[0], 0.0f);
    EXPECT_EQ(out.scale[1], 2.0f / 127.0f);
    EXPECT_EQ(out.scale[2], 0.0f);
    for (int64_t i = 0; i < 3 * size; ++i) EXPECT_EQ(out.bytes[i], i == size ? 1 : 128);
  }
}

// From where 127 / x would overflow up to the largest float.
TEST_P(QuantizedRows, ExtremeMagnitudesStayInRange) {
  for (const float magnitude : {1e-45f, 1e-38f, 1e-30f, 1e30f, std::numeric_limits<float>::max()}) {
    std::vector<float> x(20, -magnitude);
    x[3] = magnitude;
    Quantized out(1, 20);
    quantize_rows(x.data(), out.bytes.data(), out.scale.data(), 1, 20, parallel_for(), kernels());
    for (size_t i = 0; i < 20; ++i) {
      EXPECT_NEAR((out.bytes[i] - 128.0) * out.scale[0], x[i], std::max(1e-5 * magnitude, 0x1p-100)) << magnitude;
    }
  }
}

TEST_P(QuantizedRows, DequantizeMultipliesByBothScales) {
  for (const auto [tokens, size] : kSizes) {
    const Sums in(tokens, size, 1);
    std::vector<float> out(tokens * size);
    dequantize_rows(in.view(), out.data(), tokens, size, parallel_for(), kernels());
    expect_close(out, in.values, 3e-7);
  }
}

TEST_P(QuantizedRows, RmsNormFollowsTheRecipe) {
  for (const auto [tokens, hidden] : kSizes) {
    const auto x = random_floats(tokens * hidden, 1), weight = random_floats(hidden, 2);
    Quantized out(tokens, hidden);
    rms_norm_quantize(x.data(), weight.data(), out.bytes.data(), out.scale.data(), tokens, hidden, 1e-5f,
                      parallel_for(), kernels());
    expect_recipe(out, normed({x.begin(), x.end()}, weight, 1e-5));
  }
}

TEST_P(QuantizedRows, AddRmsNormAddsTheBranchFirst) {
  for (const auto [tokens, hidden] : kSizes) {
    const Sums delta(tokens, hidden, 3);
    const auto x = random_floats(tokens * hidden, 1), weight = random_floats(hidden, 2);
    std::vector<double> added(x.begin(), x.end());
    for (size_t i = 0; i < added.size(); ++i) added[i] += delta.values[i];
    std::vector<float> sum(x.size());
    Quantized out(tokens, hidden);
    add_rms_norm_quantize(x.data(), delta.view(), weight.data(), sum.data(), out.bytes.data(), out.scale.data(), tokens,
                          hidden, 1e-5f, parallel_for(), kernels());
    expect_close(sum, added, 5e-7);
    expect_recipe(out, normed({sum.begin(), sum.end()}, weight, 1e-5));
  }
}

// 16384 elements are held at once: one more, and twice as many, are computed in parts.
TEST_P(QuantizedRows, SwigluFollowsTheRecipe) {
  for (const auto [tokens, size] : {Size{1, 1}, Size{15, 3}, Size{16, 15}, Size{17, 16}, Size{33, 17}, Size{300, 33},
                                    Size{17, 1001}, Size{2, 16384}, Size{3, 16385}, Size{1, 32768}}) {
    const Sums gate_up(tokens, 2 * size, 1, 3.0f);
    std::vector<double> exact;
    for (int64_t t = 0; t < tokens; ++t) {
      const double* gate = &gate_up.values[t * 2 * size];
      for (int64_t i = 0; i < size; ++i) exact.push_back(silu(gate[i]) * gate[size + i]);
    }
    Quantized out(tokens, size);
    swiglu_quantize(gate_up.view(), out.bytes.data(), out.scale.data(), tokens, size, parallel_for(), kernels());
    expect_recipe(out, exact);
  }
}

// The token that holds one, and no other, ends with a scale that is NaN: whatever its bytes are, every sum that is made
// of them is NaN too.
void expect_only_the_second_is_nan(const std::vector<float>& scale) {
  for (size_t t = 0; t < scale.size(); ++t) EXPECT_EQ(std::isnan(scale[t]), t == 1) << "token " << t;
}

constexpr float kBad[] = {NAN, INFINITY, -INFINITY};

TEST_P(QuantizedRows, WhatIsNotFiniteBecomesANaNScale) {
  constexpr int64_t kSize = 35;
  const std::vector<float> weight(kSize, 1.0f);
  for (const float bad : kBad) {
    for (const int64_t at : {int64_t{0}, int64_t{20}, kSize - 1}) {
      auto x = random_floats(3 * kSize, 1);
      x[kSize + at] = bad;
      Quantized out(3, kSize);
      quantize_rows(x.data(), out.bytes.data(), out.scale.data(), 3, kSize, parallel_for(), kernels());
      expect_only_the_second_is_nan(out.scale);
      rms_norm_quantize(x.data(), weight.data(), out.bytes.data(), out.scale.data(), 3, kSize, 1e-5f, parallel_for(),
                        kernels());
      expect_only_the_second_is_nan(out.scale);
      const Sums delta(3, kSize, 2);
      std::vector<float> sum(x.size());
      add_rms_norm_quantize(x.data(), delta.view(), weight.data(), sum.data(), out.bytes.data(), out.scale.data(), 3,
                            kSize, 1e-5f, parallel_for(), kernels());
      expect_only_the_second_is_nan(out.scale);
    }
  }
}

TEST_P(QuantizedRows, ABadTokenScaleBecomesANaNScale) {
  constexpr int64_t kSize = 20000;  // computed in parts
  const auto x = random_floats(3 * kSize, 1);
  const std::vector<float> weight(kSize, 1.0f);
  for (const float bad : kBad) {
    Sums sums(3, 2 * kSize, 1);
    sums.token_scale[1] = bad;
    Quantized out(3, kSize);
    swiglu_quantize(sums.view(), out.bytes.data(), out.scale.data(), 3, kSize, parallel_for(), kernels());
    expect_only_the_second_is_nan(out.scale);
    std::vector<float> sum(x.size());
    add_rms_norm_quantize(x.data(), sums.view(), weight.data(), sum.data(), out.bytes.data(), out.scale.data(), 3,
                          kSize, 1e-5f, parallel_for(), kernels());
    expect_only_the_second_is_nan(out.scale);
  }
}

TEST_P(QuantizedRows, ABadWeightScaleInEitherPartOfATokenBecomesANaNScale) {
  constexpr int64_t kSize = 20000;
  for (const int64_t at : {int64_t{5}, kSize - 1, kSize + 5, 2 * kSize - 1}) {
    Sums sums(1, 2 * kSize, 1);
    sums.weight_scale[at] = NAN;
    Quantized out(1, kSize);
    swiglu_quantize(sums.view(), out.bytes.data(), out.scale.data(), 1, kSize, parallel_for(), kernels());
    EXPECT_TRUE(std::isnan(out.scale[0])) << at;
  }
}

// Their squares overflow: a norm that took 1 / infinity for its factor would make them zeros.
TEST_P(QuantizedRows, ElementsTooLargeToSquareAreNotNormedToZero) {
  const std::vector<float> x(40, 1e25f), weight(40, 1.0f);
  Quantized out(1, 40);
  rms_norm_quantize(x.data(), weight.data(), out.bytes.data(), out.scale.data(), 1, 40, 1e-5f, parallel_for(),
                    kernels());
  EXPECT_TRUE(std::isnan(out.scale[0]));
}

}  // namespace
}  // namespace saferoute::cpu
