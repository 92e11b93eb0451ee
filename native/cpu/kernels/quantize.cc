// Between f32 and the int8 of a GEMM, without anything else on the way.
#include "cpu/kernels/quantize.h"

#include "cpu/kernels/declarations.h"
#include "cpu/kernels/lanes.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

void dequantize(const int32_t* sums, const float* weight_scale, float* out, int64_t size, float token_scale) {
  for_lanes(size, [&](int64_t i, int64_t count) {
    store(to_float(load(sums + i, count)) * (load(weight_scale + i, count) * token_scale), out + i, count);
  });
}

float magnitude(const float* x, int64_t size) {
  Magnitude largest;
  for_lanes(size, [&](int64_t i, int64_t count) { largest.add(load(x + i, count)); });
  return largest.value();
}

void quantize(const float* x, uint8_t* out, int64_t size, float magnitude) {
  const float factor = quantization_factor(magnitude);
  for_lanes(size, [&](int64_t i, int64_t count) { quantize(load(x + i, count), factor, out + i, count); });
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
