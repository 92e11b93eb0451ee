#include "cpu/int8_matmul.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "cpu/kernel_test.h"

namespace saferoute::cpu {
namespace {

constexpr int32_t kUntouched = 0x5a5a5a5a;

// Over schedules.
class Int8Matmul : public testing::TestWithParam<Schedule> {
 protected:
  void SetUp() override {
    if (!has_int8_tiles()) GTEST_SKIP() << "this CPU has no int8 tiles, or the system does not let us use them";
  }
  ParallelFor parallel_for() const { return GetParam().parallel_for; }

  std::vector<std::byte> packed(const std::vector<int8_t>& weight, int64_t outputs, int64_t inputs) const {
    std::vector<std::byte> result(packed_int8_bytes(outputs, inputs), std::byte{0x5a});
    pack_int8(weight.data(), result.data(), outputs, inputs, parallel_for());
    return result;
  }

  // The product, with a token's worth of guard values behind the sums.
  std::vector<int32_t> product(const std::vector<uint8_t>& x, const std::vector<std::byte>& packed, int64_t tokens,
                               int64_t outputs, int64_t inputs) const {
    // Of its exact size, so that a sanitizer sees a read behind its end.
    const std::vector<uint8_t> exact(x.begin(), x.begin() + tokens * inputs);
    std::vector<int32_t> sums((tokens + 1) * outputs, kUntouched);
    int8_matmul(exact.data(), packed.data(), sums.data(), tokens, outputs, inputs, parallel_for());
    EXPECT_TRUE(std::all_of(sums.end() - outputs, sums.end(), [](int32_t sum) { return sum == kUntouched; }));
    sums.resize(tokens * outputs);
    return sums;
  }
};

INSTANTIATE_TEST_SUITE_P(Schedules, Int8Matmul,
                         testing::Values(Schedule{"serial", serial()}, Schedule{"reversed", reversed()},
                                         Schedule{"threaded", threaded()}),
                         [](const auto& info) { return info.param.name; });

template <typename T>
std::vector<T> random_bytes(size_t count, int low, int high, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> any(low, high);
  std::vector<T> values(count);
  for (T& value : values) value = static_cast<T>(any(generator));
  return values;
}

std::vector<int64_t> reference(const std::vector<uint8_t>& x, const std::vector<int8_t>& weight, int64_t tokens,
                               int64_t outputs, int64_t inputs) {
  std::vector<int64_t> sums(tokens * outputs);
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t i = 0; i < inputs; ++i) {
      const int64_t value = x[t * inputs + i] - 128;
      for (int64_t o = 0; o < outputs; ++o) sums[t * outputs + o] += value * weight[i * outputs + o];
    }
  }
  return sums;
}

void expect_equal(const std::vector<int32_t>& actual, const std::vector<int64_t>& expected, int64_t tokens,
                  int64_t outputs) {
  for (int64_t i = 0; i < tokens * outputs; ++i) {
    ASSERT_EQ(actual[i], expected[i]) << "token " << i / outputs << " of " << tokens << ", output " << i % outputs;
  }
}

TEST_P(Int8Matmul, EqualsTheExactSums) {
  constexpr int64_t kMostTokens = 70;
  for (const int64_t inputs : {1, 63, 64, 65, 320, 2048}) {
    for (const int64_t outputs : {1, 15, 16, 17, 32, 100, 512}) {
      SCOPED_TRACE(testing::Message() << inputs << " inputs, " << outputs << " outputs");
      const auto x = random_bytes<uint8_t>(kMostTokens * inputs, 0, 255, 1);
      const auto weight = random_bytes<int8_t>(inputs * outputs, -128, 127, 2);
      const auto weight_packed = packed(weight, outputs, inputs);
      const auto expected = reference(x, weight, kMostTokens, outputs, inputs);
      for (const int64_t tokens : {1, 2, 3, 7, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 70}) {
        expect_equal(product(x, weight_packed, tokens, outputs, inputs), expected, tokens, outputs);
      }
    }
  }
}

// More activations than stay in a cache at a time.
TEST_P(Int8Matmul, EqualsTheExactSumsOfManyTokens) {
  constexpr int64_t kTokens = 301, kOutputs = 48, kInputs = 8192;
  const auto x = random_bytes<uint8_t>(kTokens * kInputs, 0, 255, 3);
  const auto weight = random_bytes<int8_t>(kInputs * kOutputs, -128, 127, 4);
  const auto sums = product(x, packed(weight, kOutputs, kInputs), kTokens, kOutputs, kInputs);
  expect_equal(sums, reference(x, weight, kTokens, kOutputs, kInputs), kTokens, kOutputs);
}

// Every product at its largest, where a sum of 16 bits would have saturated, and one of 32 bits just holds what the
// zero point takes out again.
TEST_P(Int8Matmul, IsExactAtTheExtremes) {
  constexpr int64_t kTokens = 33, kOutputs = 33;
  for (const int64_t inputs : {2048, 8192, 65536}) {
    for (const int value : {0, 255}) {
      for (const int weight_value : {-127, 127}) {
        const std::vector<uint8_t> x(kTokens * inputs, static_cast<uint8_t>(value));
        const std::vector<int8_t> weight(inputs * kOutputs, static_cast<int8_t>(weight_value));
        const std::vector<int64_t> expected(kTokens * kOutputs, inputs * (value - 128) * weight_value);
        expect_equal(product(x, packed(weight, kOutputs, inputs), kTokens, kOutputs, inputs), expected, kTokens,
                     kOutputs);
      }
    }
  }
}

// A weight that lies at an odd address in a mapped file is slower but not wrong.
TEST_P(Int8Matmul, TakesPackedWeightsAtAnyAddress) {
  constexpr int64_t kTokens = 20, kOutputs = 70, kInputs = 130;
  const auto x = random_bytes<uint8_t>(kTokens * kInputs, 0, 255, 5);
  const auto weight = random_bytes<int8_t>(kInputs * kOutputs, -128, 127, 6);
  std::vector<std::byte> moved(packed_int8_bytes(kOutputs, kInputs) + 1);
  pack_int8(weight.data(), moved.data() + 1, kOutputs, kInputs, parallel_for());
  const auto aligned = packed(weight, kOutputs, kInputs);
  EXPECT_EQ(std::memcmp(moved.data() + 1, aligned.data(), aligned.size()), 0);
  std::vector<int32_t> sums(kTokens * kOutputs);
  int8_matmul(x.data(), moved.data() + 1, sums.data(), kTokens, kOutputs, kInputs, parallel_for());
  expect_equal(sums, reference(x, weight, kTokens, kOutputs, kInputs), kTokens, kOutputs);
}

TEST_P(Int8Matmul, NoTokensAreNoWork) {
  const auto weight_packed = packed(std::vector<int8_t>(64 * 32, 1), 32, 64);
  EXPECT_TRUE(product({}, weight_packed, 0, 32, 64).empty());
}

}  // namespace
}  // namespace saferoute::cpu
