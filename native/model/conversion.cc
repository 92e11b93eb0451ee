#include "model/conversion.h"

#include <bit>
#include <cstring>

#include "engine/error.h"

namespace saferoute::model {
namespace {

constexpr uint32_t kExponentMask = 0x7f800000u;  // all ones: infinity or NaN

// Integer arithmetic but for one exact subtraction, so that no flush-to-zero mode of the caller's thread can change it.
float f16_to_f32(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000u) << 16;
  const uint32_t magnitude = static_cast<uint32_t>(half & 0x7fffu) << 13;  // exponent and mantissa in f32's places
  constexpr uint32_t kRebias = (127u - 15u) << 23;
  uint32_t normal = magnitude + kRebias;
  if (magnitude >= 0x7c00u << 13) normal += kRebias;  // infinity and NaN: exponent 31 becomes 255
  // Subnormal: mantissa × 2^-24 is the fraction that the mantissa adds to 2^-14.
  constexpr float kSmallestNormal = 0x1p-14f;
  const float subnormal = std::bit_cast<float>(magnitude + std::bit_cast<uint32_t>(kSmallestNormal)) - kSmallestNormal;
  const uint32_t bits = magnitude < 0x0400u << 13 ? std::bit_cast<uint32_t>(subnormal) : normal;
  return std::bit_cast<float>(bits | sign);
}

float bf16_to_f32(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

template <float (*kConvert)(uint16_t)>
void convert_16_bit(const std::byte* __restrict source, float* __restrict out, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, source + 2 * i, sizeof(bits));
    out[i] = kConvert(bits);
  }
}

}  // namespace

void convert_elements(DType dtype, const std::byte* source, float* out, int64_t count) {
  switch (dtype) {
    case DType::kF32:
      if (count > 0) std::memcpy(out, source, static_cast<size_t>(count) * sizeof(float));
      return;
    case DType::kF16:
      return convert_16_bit<f16_to_f32>(source, out, count);
    case DType::kBF16:
      return convert_16_bit<bf16_to_f32>(source, out, count);
    case DType::kI8:
    case DType::kI64:
      throw Error(ErrorCode::kUnsupported,
                  "integers are not converted to f32: a checkpoint's weights are f32, f16 or bf16");
  }
}

int64_t first_not_finite(const float* values, int64_t count) {
  uint32_t found = 0;
  for (int64_t i = 0; i < count; ++i) {
    found |= (std::bit_cast<uint32_t>(values[i]) & kExponentMask) == kExponentMask;
  }
  if (!found) return -1;
  int64_t index = 0;
  while ((std::bit_cast<uint32_t>(values[index]) & kExponentMask) != kExponentMask) ++index;
  return index;
}

}  // namespace saferoute::model
