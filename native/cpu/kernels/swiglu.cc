// The gated activation of one token.
#include "cpu/kernels/declarations.h"
#include "cpu/kernels/gated.h"
#include "cpu/kernels/quantize.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

void swiglu(const float* gate, const float* up, float* out, int64_t size) {
  for_lanes(size, [&](int64_t i, int64_t count) {
    store(gated(load(gate + i, count), load(up + i, count)), out + i, count);
  });
}

float dequantize_swiglu(const int32_t* gate, const int32_t* up, const float* gate_scale, const float* up_scale,
                        float* out, int64_t size, float token_scale) {
  Magnitude largest;
  for_lanes(size, [&](int64_t i, int64_t count) {
    const Lanes product = gated(load(gate + i, count), load(up + i, count), load(gate_scale + i, count),
                                load(up_scale + i, count), token_scale);
    store(product, out + i, count);
    largest.add(product);
  });
  return largest.value();
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
