// The kernels, run from their own sources on the CPU, round where the simulation of test/golden/device_recipe.py
// rounds: whole decoders agree with it far more closely than either does with f32. So what the simulation says of a
// precision, in the shape of a real guard or in a pair's verdicts, is said of the kernels.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/emulation/host_guard.h"
#include "cuda/golden_checkpoint.h"
#include "cuda/recipe_golden.h"
#include "cuda/row_distance.h"
#include "ort/batches.h"

namespace saferoute::cuda {
namespace {

using test::GoldenCheckpoint;
using test::RecipeGolden;
using test::row_distances;

// On both sides of eight tokens and of a page, and a row of three pages.
constexpr size_t kLengths[] = {1, 2, 3, 7, 8, 9, 16, 17, 48};
constexpr PassLimits kLimits{.tokens = 192, .rows = 16, .keys = 512};

double sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

class RecipeEmulation : public testing::TestWithParam<std::tuple<const char*, Precision>> {};

TEST_P(RecipeEmulation, RoundsWhereTheSimulationRounds) {
  const auto [name, precision] = GetParam();
  const GoldenCheckpoint golden = test::golden_checkpoint(name);
  const RecipeGolden recipe = test::recipe_golden(name, precision);
  HostGuard guard(golden, precision, kLimits);
  std::vector<std::vector<int32_t>> prompts;
  std::vector<size_t> rows;
  for (size_t row = 0; row < golden.prompts.size(); ++row) {
    if (std::ranges::find(kLengths, golden.prompts[row].size()) == std::end(kLengths)) continue;
    prompts.push_back(golden.prompts[row]);
    rows.push_back(row);
  }
  ASSERT_EQ(rows.size(), std::size(kLengths));

  const engine::Batch batch = test::batch_of(prompts);
  const PassShape shape = shape_of(batch);
  guard.launch(guard.upload(batch, shape), shape.keys);
  const auto hidden = static_cast<size_t>(golden.source.spec.hidden_size);
  const auto picked = [&](const std::vector<float>& features) {
    std::vector<float> of_rows;
    for (const size_t row : rows) {
      const auto begin = features.begin() + static_cast<std::ptrdiff_t>(row * hidden);
      of_rows.insert(of_rows.end(), begin, begin + static_cast<std::ptrdiff_t>(hidden));
    }
    return of_rows;
  };
  const std::vector<float> features = guard.read<float>(guard.buffers().features, rows.size() * hidden);
  std::vector<double> to_recipe = row_distances(features, picked(recipe.features), rows.size());
  const std::vector<double> to_f32 = row_distances(features, picked(golden.features), rows.size());
  std::ranges::sort(to_recipe);
  // Sums in another order move a value over a rounding's edge now and then. In FP8 that is a step of a sixteenth, and
  // whatever follows rounds differently too: such a row is off by a little, most have the very same bits.
  EXPECT_LE(to_recipe[rows.size() / 2], 1e-4);
  EXPECT_LE(to_recipe.back(), precision == Precision::kBf16 ? 1e-4 : 5e-3);
  EXPECT_LE(sum(to_recipe), sum(to_f32) / 8);

  const std::vector<float> hardness = guard.read<float>(guard.buffers().hardness, rows.size());
  std::vector<double> of_hardness;
  for (size_t i = 0; i < rows.size(); ++i) of_hardness.push_back(std::abs(hardness[i] - recipe.hardness[rows[i]]));
  std::ranges::sort(of_hardness);
  EXPECT_LE(of_hardness[rows.size() / 2], 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, RecipeEmulation,
                         testing::Combine(testing::Values("llama-tied-f16", "llama-untied-f32", "qwen3-tied-bf16",
                                                          "qwen3-untied-bf16-sharded"),
                                          testing::Values(Precision::kBf16, Precision::kFp8)));

}  // namespace
}  // namespace saferoute::cuda
