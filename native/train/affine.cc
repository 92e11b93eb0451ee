#include "train/affine.h"

#include <algorithm>
#include <cmath>

#include "train/random_stream.h"

namespace saferoute::train {
namespace {

// Columns that one piece of a sum over rows covers.
constexpr int64_t kColumns = 64;

}  // namespace

void affine_forward(AffineShape shape, const float* weight, const float* bias, const float* x, float* y, int32_t rows,
                    const Pass& pass) {
  pass.gemm.multiply(x, false, weight, true, y, rows, shape.outputs, shape.inputs);
  const int64_t outputs = shape.outputs;
  cpu::for_ranges(pass.parallel_for, rows, std::max<int64_t>(1, kPieceFloats / outputs), [&](int64_t r, int64_t last) {
    for (; r < last; ++r) {
      for (int64_t o = 0; o < outputs; ++o) y[r * outputs + o] += bias[o];
    }
  });
}

void affine_backward(AffineShape shape, const float* weight, const float* x, const float* dy, float* dweight,
                     float* dbias, float* dx, int32_t rows, const Pass& pass) {
  pass.gemm.multiply(dy, true, x, false, dweight, shape.outputs, shape.inputs, rows);
  if (dx) pass.gemm.multiply(dy, false, weight, false, dx, rows, shape.inputs, shape.outputs);
  const int64_t outputs = shape.outputs;
  cpu::for_ranges(pass.parallel_for, outputs, kColumns, [&](int64_t first, int64_t last) {
    std::fill(dbias + first, dbias + last, 0.0f);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t o = first; o < last; ++o) dbias[o] += dy[r * outputs + o];
    }
  });
}

std::vector<float> uniform_values(AffineShape shape, int64_t count, uint64_t seed, uint32_t part) {
  std::vector<uint32_t> bits(static_cast<size_t>(count));
  RandomStream(seed, RandomUse::kWeights, part).bits(0, 0, bits);
  const double bound = 1 / std::sqrt(static_cast<double>(shape.inputs));
  std::vector<float> values(bits.size());
  std::transform(bits.begin(), bits.end(), values.begin(),
                 [&](uint32_t word) { return static_cast<float>((word * 0x1p-31 - 1) * bound); });
  return values;
}

}  // namespace saferoute::train
