// Fully connected layers of int8 weights: routers of guards that are quantised themselves. Inputs come in int16, so
// that next to nothing is lost by rounding them, and a product of both, added up in pairs, is one instruction on most
// CPUs.
#include "cpu/kernels/declarations.h"
#include "cpu/kernels/lanes.h"
#include "cpu/kernels/output_tiles.h"
#include "cpu/kernels/quantize.h"
#include "router/quantized_layout.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {
namespace {

constexpr float kLimit = 32767.0f;
constexpr int64_t kGroup = router::kGroupInputs;
constexpr int64_t kStepInputs = 2 * kLanes;
static_assert(kGroup % kStepInputs == 0);
// A lane's sum of a group: 2 * kGroup / kStepInputs products at the most, each below 2^22.
static_assert(2 * kGroup / kStepInputs < 1 << 9);

typedef int16_t ShortLanes __attribute__((vector_size(kLanes * sizeof(int16_t))));

// Sums of two products in each lane, whichever two.
inline IntLanes pair_products(const int8_t* weight, const int16_t* x) {  // (kStepInputs)
#if defined(__AVX512BW__)
  const __m512i wide = _mm512_cvtepi8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(weight)));
  return (IntLanes)_mm512_madd_epi16(wide, _mm512_loadu_si512(x));
#elif defined(__AVX2__)
  const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(weight)));
  return (IntLanes)_mm256_madd_epi16(wide, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)));
#elif defined(__SSE2__)
  const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(weight));
  const __m128i wide = _mm_srai_epi16(_mm_unpacklo_epi8(bytes, bytes), 8);
  return (IntLanes)_mm_madd_epi16(wide, _mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
#else
  IntLanes sums{};
  for (int l = 0; l < kLanes; ++l) sums[l] = weight[l] * x[l] + weight[l + kLanes] * x[l + kLanes];
  return sums;
#endif
}

// Dot products of kOutputs weight rows with one x.
template <int kOutputs>
void dots(const int8_t* weight, const float* weight_scale, const float* bias, const int16_t* x, float x_scale, float* y,
          int64_t groups) {
  Lanes sums[kOutputs] = {};
  const int64_t stride = groups * kGroup;
  for (int64_t g = 0; g < groups; ++g, weight += kGroup, x += kGroup) {
    IntLanes group_sums[kOutputs] = {};
    for (int64_t i = 0; i < kGroup; i += kStepInputs) {
      for (int o = 0; o < kOutputs; ++o) group_sums[o] += pair_products(weight + o * stride + i, x + i);
    }
    for (int o = 0; o < kOutputs; ++o) sums[o] += to_float(group_sums[o]) * weight_scale[o * groups + g];
  }
  for (int o = 0; o < kOutputs; ++o) y[o] = sum(sums[o]) * x_scale + bias[o];
}

}  // namespace

float quantize_to_int16(const float* x, int16_t* out, int64_t size) {
  const float largest = magnitude(x, size);
  const float factor = quantization_factor(largest, kLimit);
  for_lanes(size, [&](int64_t i, int64_t count) {
    // Rounds as quantize() does; here the lowest sixteen bits are the answer.
    const auto shifted = (IntLanes)(load(x + i, count) * factor + 0x1.8p23f);
    const ShortLanes values = __builtin_convertvector(shifted, ShortLanes);
    __builtin_memcpy(out + i, &values, static_cast<size_t>(count) * sizeof(int16_t));
  });
  const int64_t padded = router::groups_of(size) * kGroup;
  __builtin_memset(out + size, 0, static_cast<size_t>(padded - size) * sizeof(int16_t));
  return largest / kLimit;
}

void dense_int8(const int8_t* weight, const float* weight_scale, const float* bias, const int16_t* x,
                const float* x_scale, float* y, int64_t rows, int64_t outputs, int64_t inputs, int64_t y_stride) {
  const int64_t groups = router::groups_of(inputs);
  for_output_tiles<4>(rows, outputs, [&]<int kOutputs>(int64_t r, int64_t o) {
    dots<kOutputs>(weight + o * groups * kGroup, weight_scale + o * groups, bias + o, x + r * groups * kGroup,
                   x_scale[r], y + r * y_stride + o, groups);
  });
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
