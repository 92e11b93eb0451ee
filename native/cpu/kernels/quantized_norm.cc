// Normalisations of one vector whose outcome goes to an int8 GEMM.
//
// out = weight * sum * factor is quantised by its largest magnitude, in which the factor cancels: both are taken from
// weight * sum, so that nothing waits for the mean square and nothing but sum is stored.
#include "cpu/kernels/declarations.h"
#include "cpu/kernels/lanes.h"
#include "cpu/kernels/norm.h"
#include "cpu/kernels/quantize.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {
namespace {

// What is seen of a row while its elements are summed up.
struct Statistics {
  Lanes squares{};
  Magnitude weighted;

  void add(Lanes value, Lanes weight) {
    squares += value * value;
    weighted.add(value * weight);
  }
};

float finish(const Statistics& statistics, const float* x, const float* weight, uint8_t* out, int64_t size, float eps) {
  const float magnitude = statistics.weighted.value();
  const float factor = quantization_factor(magnitude);
  for_lanes(size, [&](int64_t i, int64_t count) {
    quantize(load(x + i, count) * load(weight + i, count), factor, out + i, count);
  });
  return magnitude * inverse_rms(sum(statistics.squares), size, eps);
}

}  // namespace

float rms_norm_quantize(const float* x, const float* weight, uint8_t* out, int64_t size, float eps) {
  Statistics statistics;
  for_lanes(size, [&](int64_t i, int64_t count) { statistics.add(load(x + i, count), load(weight + i, count)); });
  return finish(statistics, x, weight, out, size, eps);
}

float add_rms_norm_quantize(const float* x, const int32_t* delta, const float* delta_scale, const float* weight,
                            float* sum_out, uint8_t* out, int64_t size, float token_scale, float eps) {
  Statistics statistics;
  for_lanes(size, [&](int64_t i, int64_t count) {
    const Lanes branch = to_float(load(delta + i, count)) * (load(delta_scale + i, count) * token_scale);
    const Lanes added = load(x + i, count) + branch;
    store(added, sum_out + i, count);
    statistics.add(added, load(weight + i, count));
  });
  return finish(statistics, sum_out, weight, out, size, eps);
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
