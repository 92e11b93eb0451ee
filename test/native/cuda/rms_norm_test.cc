#include "cuda/rms_norm.h"

#include "cpu/rms_norm.h"
#include "cuda/bf16_values.h"
#include "cuda/device_test.h"
#include "cuda/fp8_checks.h"
#include "cuda/row_size.h"
#include "ort/expect_error.h"

namespace saferoute::cuda {
namespace {

struct Size {
  int tokens, hidden;
};

// One vector, a part of a warp, whole warps, the guards' sizes, and on both sides of where threads take several.
constexpr Size kSizes[] = {{1, 8}, {3, 72}, {2, 256}, {5, 576}, {2, 2048}, {1, 4096}, {2, 4104}, {1, 8192}};

constexpr float kEps = 1e-5f;

using test::expect_error;

class RmsNorm : public DeviceTest {
 protected:
  void prepare(const Size& of) {
    size = of;
    const auto elements = static_cast<size_t>(size.tokens) * size.hidden;
    x = random_floats(elements, 1);
    delta = rounded_to_bf16(random_floats(elements, 2));
    weight = random_floats(size.hidden, 3);
    sum.resize(elements);
    expected.resize(elements);
  }

  void with_delta() {
    cpu::add_rms_norm(x.data(), delta.data(), weight.data(), sum.data(), expected.data(), size.tokens, size.hidden,
                      kEps, cpu::serial());
  }

  // Runs `op(on_x, on_delta, on_weight, out)` and expects the sum in x and the norm in out.
  template <typename Delta, typename Op>
  void expect_bf16(const std::vector<Delta>& with, Op&& op) {
    DeviceVector<float> on_x(x), on_weight(weight);
    DeviceVector<Delta> on_delta(with);
    DeviceVector<Bf16> out(static_cast<int64_t>(x.size()));
    op(on_x.data(), on_delta.data(), on_weight.data(), out.data());
    expect_near(on_x.read(), sum, 0);
    expect_near(to_floats(out.read()), expected, kBf16Step);
  }

  template <typename Delta, typename Op>
  void expect_fp8(const std::vector<Delta>& with, Op&& op) {
    DeviceVector<float> on_x(x), on_weight(weight), scales(size.tokens);
    DeviceVector<Delta> on_delta(with);
    DeviceVector<Fp8> values(static_cast<int64_t>(x.size()));
    op(on_x.data(), on_delta.data(), on_weight.data(), Fp8Rows{values.data(), scales.data()});
    expect_near(on_x.read(), sum, 0);
    expect_fp8_rows(values.read(), scales.read(), expected, 1e-5f);
  }

  Size size{};
  std::vector<float> x, delta, weight, sum, expected;
};

TEST_F(RmsNorm, MatchesTheCpu) {
  for (const Size& of : kSizes) {
    SCOPED_TRACE(of.hidden);
    prepare(of);
    sum = x;
    cpu::rms_norm(x.data(), weight.data(), expected.data(), size.tokens, size.hidden, kEps, cpu::serial());
    const auto op = [&](float* on_x, const float*, const float* on_weight, auto out) {
      rms_norm(on_x, on_weight, out, size.tokens, size.hidden, kEps, stream_);
    };
    expect_bf16(delta, op);
    expect_fp8(delta, op);
  }
}

TEST_F(RmsNorm, AddsTheDeltaFirst) {
  for (const Size& of : kSizes) {
    SCOPED_TRACE(of.hidden);
    prepare(of);
    with_delta();
    const auto op = [&](float* on_x, const auto* on_delta, const float* on_weight, auto out) {
      add_rms_norm(on_x, on_delta, on_weight, out, size.tokens, size.hidden, kEps, stream_);
    };
    expect_bf16(delta, op);
    expect_bf16(to_bf16(delta), op);
    expect_fp8(delta, op);
    expect_fp8(to_bf16(delta), op);
  }
}

TEST_F(RmsNorm, WhatIsNotFiniteSpreadsToItsTokenAlone) {
  for (const float bad : {INFINITY, NAN, 1e30f}) {  // the square of the last is not
    prepare({3, 64});
    x[64 + 5] = bad;
    DeviceVector<float> on_x(x), on_weight(weight), scales(3);
    DeviceVector<Bf16> out(3 * 64);
    DeviceVector<Fp8> values(3 * 64);
    rms_norm(on_x.data(), on_weight.data(), out.data(), 3, 64, kEps, stream_);
    rms_norm(on_x.data(), on_weight.data(), Fp8Rows{values.data(), scales.data()}, 3, 64, kEps, stream_);
    const std::vector<float> normed = to_floats(out.read()), scale = scales.read();
    for (int i = 0; i < 3 * 64; ++i) EXPECT_EQ(std::isnan(normed[i]), i / 64 == 1) << "element " << i;
    for (int token = 0; token < 3; ++token) EXPECT_EQ(std::isnan(scale[token]), token == 1) << bad;
  }
}

TEST_F(RmsNorm, ATokenOfZerosIsZeros) {
  prepare({2, 64});
  std::fill_n(x.begin(), 64, 0.0f);
  sum = x;
  cpu::rms_norm(x.data(), weight.data(), expected.data(), 2, 64, kEps, cpu::serial());
  const auto op = [&](float* on_x, const float*, const float* on_weight, auto out) {
    rms_norm(on_x, on_weight, out, 2, 64, kEps, stream_);
  };
  expect_bf16(delta, op);
  expect_fp8(delta, op);
}

TEST_F(RmsNorm, RefusesRowsThatItCannotHold) {
  rms_norm(nullptr, nullptr, static_cast<Bf16*>(nullptr), 0, 64, kEps, stream_);
  for (const int hidden : {0, 12, kMaxRowSize + 8}) {
    expect_error(ErrorCode::kUnsupported, {std::to_string(hidden), std::to_string(kMaxRowSize)},
                 [&] { rms_norm(nullptr, nullptr, static_cast<Bf16*>(nullptr), 1, hidden, kEps, stream_); });
  }
}

}  // namespace
}  // namespace saferoute::cuda
