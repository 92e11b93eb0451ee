#include "cpu/rope.h"

#include "cpu/kernel_test.h"

namespace saferoute::cpu {
namespace {

class Rope : public KernelTest {};
INSTANTIATE_TEST_SUITE_P(Variants, Rope, every_variant_and_schedule(), variant_and_schedule);

// The angle is rounded to f32 before the sine, as in the reference: at position 131071 that is what decides.
TEST_P(Rope, TableHoldsCosinesThenSines) {
  constexpr int64_t kDim = 8;
  const std::vector<float> frequencies = {1.0f, 0.31622776f, 0.1f, 1e-4f};
  const std::vector<int32_t> positions = {0, 1, 2, 3, 299, 0, 1, 131071};
  std::vector<float> table(positions.size() * kDim);
  std::vector<double> expected(table.size());
  for (size_t t = 0; t < positions.size(); ++t) {
    for (size_t i = 0; i < kDim / 2; ++i) {
      const float angle = static_cast<float>(positions[t]) * frequencies[i];
      expected[t * kDim + i] = std::cos(static_cast<double>(angle));
      expected[t * kDim + kDim / 2 + i] = std::sin(static_cast<double>(angle));
    }
  }
  rope_table(positions.data(), frequencies.data(), table.data(), positions.size(), kDim, parallel_for());
  expect_close(table, expected, 1e-7);
}

}  // namespace
}  // namespace saferoute::cpu
