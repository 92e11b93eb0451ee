// Small fully connected layers: verdict rows and the router, whose weights may be in half precision.
#include "cpu/kernels/declarations.h"
#include "cpu/kernels/half.h"
#include "cpu/kernels/lanes.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {
namespace {

// Dot products of kOutputs weight rows with one x: enough independent sums to hide the latency of an addition.
template <int kOutputs, typename Weight>
void dots(const Weight* weight, const float* bias, const float* x, float* y, int64_t inputs) {
  Lanes sums[kOutputs] = {};
  int64_t i = 0;
  for (; i + kLanes <= inputs; i += kLanes) {
    const Lanes values = load(x + i);
    for (int o = 0; o < kOutputs; ++o) sums[o] += load(weight + o * inputs + i) * values;
  }
  for (int o = 0; o < kOutputs; ++o) {
    float total = sum(sums[o]);
    for (int64_t j = i; j < inputs; ++j) total += load_one(weight + o * inputs + j) * x[j];
    y[o] = bias ? total + bias[o] : total;
  }
}

// A weight is fetched from memory once for all rows. Which of the two loops computes an output depends on the output
// alone, so a row's result is the same in every batch.
template <typename Weight>
void dense_rows(const Weight* weight, const float* bias, const float* x, float* y, int64_t rows, int64_t outputs,
                int64_t inputs, int64_t y_stride) {
  constexpr int kTile = 8;
  int64_t o = 0;
  for (; o + kTile <= outputs; o += kTile) {
    for (int64_t r = 0; r < rows; ++r) {
      dots<kTile>(weight + o * inputs, bias ? bias + o : nullptr, x + r * inputs, y + r * y_stride + o, inputs);
    }
  }
  for (; o < outputs; ++o) {
    for (int64_t r = 0; r < rows; ++r) {
      dots<1>(weight + o * inputs, bias ? bias + o : nullptr, x + r * inputs, y + r * y_stride + o, inputs);
    }
  }
}

}  // namespace

void dense(const float* weight, const float* bias, const float* x, float* y, int64_t rows, int64_t outputs,
           int64_t inputs, int64_t y_stride) {
  dense_rows(weight, bias, x, y, rows, outputs, inputs, y_stride);
}

void dense_halves(const uint16_t* weight, const float* bias, const float* x, float* y, int64_t rows, int64_t outputs,
                  int64_t inputs, int64_t y_stride) {
  dense_rows(weight, bias, x, y, rows, outputs, inputs, y_stride);
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
