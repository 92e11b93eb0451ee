#include "train/dropout.h"

#include <algorithm>
#include <span>

namespace saferoute::train {

Dropout::Dropout(int32_t size, double rate, uint64_t seed, uint32_t part)
    : Layer(size),
      dropped_below_(static_cast<uint32_t>(rate * 0x1p32)),
      scale_(static_cast<float>(1 / (1 - rate))),
      random_(seed, RandomUse::kDropout, part) {}

void Dropout::forward(const float* x, float* y, int32_t rows, const Pass& pass) {
  const int64_t size = int64_t{rows} * outputs();
  if (!pass.training) {
    std::copy(x, x + size, y);
    return;
  }
  bits_.resize(static_cast<size_t>(size));
  cpu::for_ranges(pass.parallel_for, size, kPieceFloats, [&](int64_t i, int64_t last) {
    random_.bits(pass.step, i, std::span(bits_).subspan(static_cast<size_t>(i), static_cast<size_t>(last - i)));
    const uint32_t* bits = bits_.data();
    for (; i < last; ++i) y[i] = bits[i] < dropped_below_ ? 0 : x[i] * scale_;
  });
}

void Dropout::backward(const float*, const float* dy, float* dx, int32_t rows, const Pass& pass) {
  const uint32_t* bits = bits_.data();
  cpu::for_ranges(pass.parallel_for, int64_t{rows} * outputs(), kPieceFloats, [&](int64_t i, int64_t last) {
    for (; i < last; ++i) dx[i] = bits[i] < dropped_below_ ? 0 : dy[i] * scale_;
  });
}

}  // namespace saferoute::train
