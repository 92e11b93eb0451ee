#include "model/conversion.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "model/checkpoint_file.h"

namespace saferoute::model {
namespace {

std::vector<float> every_pattern(DType dtype) {
  std::vector<uint16_t> bits(1 << 16);
  for (size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<uint16_t>(i);
  std::vector<float> out(bits.size());
  convert_elements(dtype, reinterpret_cast<const std::byte*>(bits.data()), out.data(), 1 << 16);
  return out;
}

// (-1)^sign · 2^(exponent - bias) · 1.mantissa, by the definition of the formats and not by their bits.
double value_of(uint32_t bits, int mantissa_bits, int exponent_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const auto mantissa = static_cast<double>(bits & ((1u << mantissa_bits) - 1)) / (1 << mantissa_bits);
  const auto exponent = static_cast<int>(bits >> mantissa_bits) & ((1 << exponent_bits) - 1);
  const double sign = bits >> 15 ? -1.0 : 1.0;
  if (exponent == (1 << exponent_bits) - 1) {
    return mantissa == 0 ? sign * std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias);
  return sign * std::ldexp(1.0 + mantissa, exponent - bias);
}

void expect_every_value(DType dtype, int mantissa_bits, int exponent_bits) {
  const std::vector<float> converted = every_pattern(dtype);
  for (uint32_t bits = 0; bits < 1 << 16; ++bits) {
    const double expected = value_of(bits, mantissa_bits, exponent_bits);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(converted[bits])) << bits;
    } else {
      ASSERT_EQ(static_cast<double>(converted[bits]), expected) << bits;
      ASSERT_EQ(std::signbit(converted[bits]), bits >> 15 == 1) << bits;
    }
  }
}

TEST(Conversion, EveryF16) { expect_every_value(DType::kF16, 10, 5); }

TEST(Conversion, EveryBF16) { expect_every_value(DType::kBF16, 7, 8); }

TEST(Conversion, SourcesNeedNoAlignment) {
  const float values[] = {1.5f, -2.25f, 3.0e-40f};
  std::vector<std::byte> bytes(1 + sizeof(values));
  std::memcpy(bytes.data() + 1, values, sizeof(values));
  float out[3];
  convert_elements(DType::kF32, bytes.data() + 1, out, 3);
  EXPECT_EQ(std::memcmp(out, values, sizeof(values)), 0);

  const uint16_t halves[] = {0x3c00, 0xc000, 0x0001};
  std::memcpy(bytes.data() + 1, halves, sizeof(halves));
  convert_elements(DType::kF16, bytes.data() + 1, out, 3);
  EXPECT_EQ(out[0], 1.0f);
  EXPECT_EQ(out[1], -2.0f);
  EXPECT_EQ(out[2], 0x1p-24f);
}

TEST(Conversion, NothingIsReadOfNothing) {
  convert_elements(DType::kF32, nullptr, nullptr, 0);
  convert_elements(DType::kBF16, nullptr, nullptr, 0);
  EXPECT_EQ(first_not_finite(nullptr, 0), -1);
}

TEST(Conversion, IntegersAreRefused) {
  const std::byte source[8] = {};
  float out = 1.0f;
  for (const DType dtype : {DType::kI8, DType::kI64}) {
    expect_error(ErrorCode::kUnsupported, "integers are not converted to f32",
                 [&] { convert_elements(dtype, source, &out, 1); });
  }
  EXPECT_EQ(out, 1.0f);
}

TEST(Conversion, FindsTheFirstValueThatIsNotFinite) {
  for (const float bad : {NAN, -NAN, INFINITY, -INFINITY}) {
    for (size_t size = 1; size < 40; ++size) {
      std::vector<float> values(size, std::numeric_limits<float>::max());
      EXPECT_EQ(first_not_finite(values.data(), static_cast<int64_t>(size)), -1);
      values[size - 1] = bad;
      EXPECT_EQ(first_not_finite(values.data(), static_cast<int64_t>(size)), static_cast<int64_t>(size) - 1);
      values[size / 2] = bad;
      EXPECT_EQ(first_not_finite(values.data(), static_cast<int64_t>(size)), static_cast<int64_t>(size / 2));
    }
  }
}

}  // namespace
}  // namespace saferoute::model
