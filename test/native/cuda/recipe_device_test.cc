// Whole guards on the device against the simulation of test/golden/device_recipe.py: they round where it rounds, so
// that what it says of a precision is said of the device.
#include <memory>
#include <numeric>
#include <string>
#include <tuple>
#include <vector>

#include "cuda/backend.h"
#include "cuda/device_test.h"
#include "cuda/golden_checkpoint.h"
#include "cuda/recipe_golden.h"
#include "cuda/row_distance.h"
#include "ort/batches.h"

namespace saferoute::cuda {
namespace {

using test::golden_checkpoint;
using test::GoldenCheckpoint;
using test::row_distances;

class RecipeDeviceTest : public DeviceTest, public testing::WithParamInterface<std::tuple<const char*, Precision>> {};

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

TEST_P(RecipeDeviceTest, RoundsWhereTheSimulationRounds) {
  const auto [name, precision] = GetParam();
  const bool fp8 = precision == Precision::kFp8;
  if (fp8 && compute_capability() < 89) GTEST_SKIP() << "FP8 needs compute capability 8.9";
  const GoldenCheckpoint golden = golden_checkpoint(name);
  PairSource pair;
  pair.small = golden.source;
  pair.small.precision = precision;
  pair.gpu_limit.bytes = 1ull << 30;
  pair.batch_tokens = 2304;  // all prompts of a checkpoint
  pair.batch_rows = 32;
  const std::unique_ptr<engine::Backend> backend = Pair(pair).make_guard(GuardRole::kSmall, {});
  const engine::BatchReading reading = backend->forward(test::batch_of(golden.prompts), {});

  const size_t rows = golden.prompts.size();
  const std::vector<double> to_recipe =
      row_distances(reading.features, test::recipe_golden(name, precision).features, rows);
  const std::vector<double> to_f32 = row_distances(reading.features, golden.features, rows);
  for (size_t row = 0; row < rows && !fp8; ++row) EXPECT_LE(to_recipe[row], 1e-4) << "row " << row;
  // Hopper keeps 14 bits of a sum in FP8: simulated, that leaves rows a fifth of their way to f32 apart.
  EXPECT_LE(sum(to_recipe), sum(to_f32) / (fp8 ? 2 : 8));
}

INSTANTIATE_TEST_SUITE_P(Fixtures, RecipeDeviceTest,
                         testing::Combine(testing::Values("llama-tied-f16", "llama-untied-f32", "qwen3-tied-bf16",
                                                          "qwen3-untied-bf16-sharded"),
                                          testing::Values(Precision::kBf16, Precision::kFp8)));

}  // namespace
}  // namespace saferoute::cuda
