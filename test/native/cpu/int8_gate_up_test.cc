// Gate and up with their activation in one, against the two operators that it stands for, which have tests of their
// own.
#include "cpu/int8_gate_up.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "cpu/int8_matmul.h"
#include "cpu/kernel_test.h"
#include "cpu/quantized_rows.h"

namespace saferoute::cpu {
namespace {

constexpr uint8_t kUntouched = 0x5a;
constexpr float kUntouchedFloat = -7.0f;

struct Quantized {
  std::vector<uint8_t> bytes;  // (tokens, intermediate)
  std::vector<float> scale;    // (tokens)
};

// Random activations and weights. Rows are of very different magnitude.
struct Case {
  int64_t tokens, intermediate, inputs;
  std::vector<uint8_t> x;
  std::vector<int8_t> weight;
  std::vector<float> token_scale, weight_scale;

  Case(int64_t most_tokens, int64_t some_intermediate, int64_t some_inputs)
      : tokens(most_tokens),
        intermediate(some_intermediate),
        inputs(some_inputs),
        x(tokens * inputs),
        weight(inputs * 2 * intermediate) {
    std::mt19937 generator(1);
    for (uint8_t& value : x) value = static_cast<uint8_t>(generator());
    for (int8_t& value : weight) value = static_cast<int8_t>(generator());
    for (const float value : random_floats(tokens, 2)) {
      token_scale.push_back(0.02f * std::exp(value) / std::sqrt(static_cast<float>(inputs)));
    }
    for (const float value : random_floats(2 * intermediate, 3)) weight_scale.push_back(0.01f + 0.002f * value);
  }

  Quantized in_two(int64_t count) const {
    std::vector<std::byte> packed(packed_int8_bytes(2 * intermediate, inputs));
    pack_int8(weight.data(), packed.data(), 2 * intermediate, inputs, serial());
    std::vector<int32_t> sums(count * 2 * intermediate);
    int8_matmul(x.data(), packed.data(), sums.data(), count, 2 * intermediate, inputs, serial());
    Quantized out{std::vector<uint8_t>(count * intermediate), std::vector<float>(count)};
    swiglu_quantize({sums.data(), token_scale.data(), weight_scale.data()}, out.bytes.data(), out.scale.data(), count,
                    intermediate, serial());
    return out;
  }

  std::vector<std::byte> packed(ParallelFor parallel_for) const {
    std::vector<std::byte> packed(packed_gate_up_bytes(intermediate, inputs), std::byte{kUntouched});
    pack_gate_up(weight.data(), packed.data(), intermediate, inputs, parallel_for);
    return packed;
  }

  // Tokens [first, first + count). What stands behind each buffer must stay.
  Quantized in_one(const std::vector<std::byte>& packed, int64_t first, int64_t count, ParallelFor parallel_for) const {
    // Of its exact size, so that a sanitizer sees a read behind its end.
    const std::vector<uint8_t> exact(x.begin() + first * inputs, x.begin() + (first + count) * inputs);
    std::vector<float> activated(activated_size(count, intermediate) + 1, kUntouchedFloat);
    Quantized out{std::vector<uint8_t>(count * intermediate + 1, kUntouched),
                  std::vector<float>(count + 1, kUntouchedFloat)};
    gate_up_swiglu(exact.data(), token_scale.data() + first, packed.data(), weight_scale.data(), activated.data(),
                   out.bytes.data(), out.scale.data(), count, intermediate, inputs, parallel_for);
    EXPECT_EQ(activated.back(), kUntouchedFloat);
    EXPECT_EQ(out.bytes.back(), kUntouched);
    EXPECT_EQ(out.scale.back(), kUntouchedFloat);
    out.bytes.pop_back();
    out.scale.pop_back();
    return out;
  }
};

// Over schedules.
class Int8GateUp : public testing::TestWithParam<Schedule> {
 protected:
  void SetUp() override {
    if (!has_int8_tiles()) GTEST_SKIP() << "this CPU has no int8 tiles, or the system does not let us use them";
  }
  ParallelFor parallel_for() const { return GetParam().parallel_for; }
};

INSTANTIATE_TEST_SUITE_P(Schedules, Int8GateUp,
                         testing::Values(Schedule{"serial", serial()}, Schedule{"reversed", reversed()},
                                         Schedule{"threaded", threaded()}),
                         [](const auto& info) { return info.param.name; });

void expect_equal(const Quantized& actual, const Quantized& expected, int64_t first = 0) {
  const auto tokens = static_cast<int64_t>(actual.scale.size());
  const auto width = static_cast<int64_t>(actual.bytes.size()) / tokens;
  for (int64_t t = 0; t < tokens; ++t) {
    ASSERT_EQ(actual.scale[t], expected.scale[first + t]) << "token " << t << " of " << tokens;
    for (int64_t i = 0; i < width; ++i) {
      ASSERT_EQ(actual.bytes[t * width + i], expected.bytes[(first + t) * width + i])
          << "token " << t << " of " << tokens << ", element " << i;
    }
  }
}

TEST_P(Int8GateUp, EqualsTheProductAndItsActivation) {
  constexpr int64_t kMostTokens = 70;
  for (const int64_t inputs : {1, 63, 64, 65, 320, 2048, 4160}) {
    for (const int64_t intermediate : {1, 15, 16, 17, 63, 64, 100, 200}) {
      SCOPED_TRACE(testing::Message() << inputs << " inputs, intermediate " << intermediate);
      const Case some(kMostTokens, intermediate, inputs);
      const Quantized expected = some.in_two(kMostTokens);
      const auto packed = some.packed(parallel_for());
      for (const int64_t tokens : {1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 64, 65, 70}) {
        expect_equal(some.in_one(packed, 0, tokens, parallel_for()), expected);
      }
    }
  }
}

// More activations than stay in a cache at a time.
TEST_P(Int8GateUp, EqualsThemForManyTokens) {
  const Case many(301, 40, 8192);
  expect_equal(many.in_one(many.packed(parallel_for()), 0, 301, parallel_for()), many.in_two(301));
}

TEST_P(Int8GateUp, ATokenIsTheSameInEveryBatch) {
  const Case some(50, 48, 192);
  const auto packed = some.packed(parallel_for());
  const Quantized together = some.in_one(packed, 0, 50, parallel_for());
  for (int64_t first = 0; first < 50; first += 7) {
    expect_equal(some.in_one(packed, first, 1, parallel_for()), together, first);
    expect_equal(some.in_one(packed, first, std::min<int64_t>(20, 50 - first), parallel_for()), together, first);
  }
}

TEST_P(Int8GateUp, WhatIsNotFiniteBecomesANaNScale) {
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    for (const int64_t token : {0, 20, 36}) {
      Case some(37, 50, 128);
      some.token_scale[token] = bad;
      const Quantized out = some.in_one(some.packed(parallel_for()), 0, 37, parallel_for());
      for (int64_t t = 0; t < 37; ++t) EXPECT_EQ(std::isnan(out.scale[t]), t == token) << "token " << t;
    }
    for (const int64_t column : {0, 49, 50, 99}) {
      Case some(3, 50, 128);
      some.weight_scale[column] = bad;
      const Quantized out = some.in_one(some.packed(parallel_for()), 0, 3, parallel_for());
      for (const float scale : out.scale) EXPECT_TRUE(std::isnan(scale)) << "column " << column;
    }
  }
}

TEST_P(Int8GateUp, TakesPackedWeightsAtAnyAddress) {
  const Case some(20, 70, 130);
  const auto aligned = some.packed(parallel_for());
  std::vector<std::byte> moved(aligned.size() + 1);
  pack_gate_up(some.weight.data(), moved.data() + 1, 70, 130, parallel_for());
  EXPECT_EQ(std::memcmp(moved.data() + 1, aligned.data(), aligned.size()), 0);
  std::vector<float> activated(activated_size(20, 70));
  Quantized out{std::vector<uint8_t>(20 * 70), std::vector<float>(20)};
  gate_up_swiglu(some.x.data(), some.token_scale.data(), moved.data() + 1, some.weight_scale.data(), activated.data(),
                 out.bytes.data(), out.scale.data(), 20, 70, 130, parallel_for());
  expect_equal(out, some.in_two(20));
}

TEST_P(Int8GateUp, NoTokensAreNoWork) {
  const Case some(1, 32, 64);
  EXPECT_TRUE(some.in_one(some.packed(parallel_for()), 0, 0, parallel_for()).bytes.empty());
}

}  // namespace
}  // namespace saferoute::cpu
