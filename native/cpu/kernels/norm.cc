// Normalisations of one vector.
#include "cpu/kernels/norm.h"

#include "cpu/kernels/declarations.h"
#include "cpu/kernels/lanes.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {
namespace {

// out = weight * x * factor
void scale(const float* x, const float* weight, float* out, int64_t size, float factor) {
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) store(load(weight + i) * (load(x + i) * factor), out + i);
  for (; i < size; ++i) out[i] = weight[i] * (x[i] * factor);
}

}  // namespace

void rms_norm(const float* x, const float* weight, float* out, int64_t size, float eps) {
  Lanes squares{};
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) squares += load(x + i) * load(x + i);
  float total = sum(squares);
  for (; i < size; ++i) total += x[i] * x[i];
  scale(x, weight, out, size, inverse_rms(total, size, eps));
}

void add_rms_norm(const float* x, const float* delta, const float* weight, float* sum_out, float* out, int64_t size,
                  float eps) {
  Lanes squares{};
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    const Lanes added = load(x + i) + load(delta + i);
    store(added, sum_out + i);
    squares += added * added;
  }
  float total = sum(squares);
  for (; i < size; ++i) {
    sum_out[i] = x[i] + delta[i];
    total += sum_out[i] * sum_out[i];
  }
  scale(sum_out, weight, out, size, inverse_rms(total, size, eps));
}

void layer_norm(float* x, const float* weight, const float* bias, int64_t size, float eps) {
  Lanes sums{};
  int64_t i = 0;
  for (; i + kLanes <= size; i += kLanes) sums += load(x + i);
  float total = sum(sums);
  for (; i < size; ++i) total += x[i];
  const float mean = total / static_cast<float>(size);

  // A second pass over x - mean: subtracting mean^2 from the mean square cancels.
  Lanes squares{};
  for (i = 0; i + kLanes <= size; i += kLanes) {
    const Lanes centred = load(x + i) - mean;
    squares += centred * centred;
  }
  total = sum(squares);
  for (; i < size; ++i) total += (x[i] - mean) * (x[i] - mean);
  const float factor = inverse_rms(total, size, eps);

  for (i = 0; i + kLanes <= size; i += kLanes) {
    store((load(x + i) - mean) * factor * load(weight + i) + load(bias + i), x + i);
  }
  for (; i < size; ++i) x[i] = (x[i] - mean) * factor * weight[i] + bias[i];
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
