// Small fully connected layers in f32: verdict rows, and what is not quantised of a router.
#include "cpu/kernels/declarations.h"
#include "cpu/kernels/lanes.h"
#include "cpu/kernels/output_tiles.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {
namespace {

// Dot products of kOutputs weight rows with one x: enough independent sums to hide the latency of an addition.
template <int kOutputs>
void dots(const float* weight, const float* bias, const float* x, float* y, int64_t inputs) {
  Lanes sums[kOutputs] = {};
  int64_t i = 0;
  for (; i + kLanes <= inputs; i += kLanes) {
    const Lanes values = load(x + i);
    for (int o = 0; o < kOutputs; ++o) sums[o] += load(weight + o * inputs + i) * values;
  }
  for (int o = 0; o < kOutputs; ++o) {
    float total = sum(sums[o]);
    for (int64_t j = i; j < inputs; ++j) total += weight[o * inputs + j] * x[j];
    y[o] = bias ? total + bias[o] : total;
  }
}

}  // namespace

void dense(const float* weight, const float* bias, const float* x, float* y, int64_t rows, int64_t outputs,
           int64_t inputs, int64_t y_stride) {
  for_output_tiles<8>(rows, outputs, [&]<int kOutputs>(int64_t r, int64_t o) {
    dots<kOutputs>(weight + o * inputs, bias ? bias + o : nullptr, x + r * inputs, y + r * y_stride + o, inputs);
  });
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
