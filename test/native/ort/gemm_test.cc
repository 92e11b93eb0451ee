// Matrix products by ONNX Runtime, in every orientation and on any number of threads.
#include "ort/gemm.h"

#include <cmath>
#include <cstring>
#include <numeric>

#include <gtest/gtest.h>

#include "ort/tiny_guard.h"
#include "random_floats.h"
#include "train/trainer.h"
#include "train/worker_threads.h"

namespace saferoute::ort {
namespace {

struct Product {
  int32_t m, n, k;
};

// Around what a piece of rows is a multiple of, one of everything, and the shapes of both networks.
constexpr Product kProducts[] = {{1, 1, 1},     {1, 7, 3},      {2, 1, 512},     {15, 17, 33},   {16, 16, 16},
                                 {33, 5, 129},  {512, 1, 512},  {1, 512, 512},   {100, 512, 48}, {512, 300, 100},
                                 {47, 1024, 7}, {257, 130, 65}, {65, 2048, 130}, {512, 64, 600}};

std::vector<float> multiply(const Product& p, bool transpose_a, bool transpose_b, int32_t threads) {
  train::WorkerThreads workers(threads);
  const auto gemm = make_gemm(test::runtime_options().library_path, workers.parallel_for(), threads);
  const auto a = random_floats(static_cast<size_t>(p.m) * static_cast<size_t>(p.k), 1);
  const auto b = random_floats(static_cast<size_t>(p.k) * static_cast<size_t>(p.n), 2);
  std::vector<float> c(static_cast<size_t>(p.m) * static_cast<size_t>(p.n), NAN);
  gemm->multiply(a.data(), transpose_a, b.data(), transpose_b, c.data(), p.m, p.n, p.k);
  return c;
}

class GemmOrientation : public testing::TestWithParam<std::tuple<bool, bool>> {};

TEST_P(GemmOrientation, IsTheProduct) {
  const auto [transpose_a, transpose_b] = GetParam();
  for (const Product& p : kProducts) {
    const auto a = random_floats(static_cast<size_t>(p.m) * static_cast<size_t>(p.k), 1);
    const auto b = random_floats(static_cast<size_t>(p.k) * static_cast<size_t>(p.n), 2);
    const auto c = multiply(p, transpose_a, transpose_b, 3);
    for (int64_t i = 0; i < p.m; ++i) {
      for (int64_t j = 0; j < p.n; ++j) {
        double expected = 0;
        for (int64_t l = 0; l < p.k; ++l) {
          const auto at_a = static_cast<size_t>(transpose_a ? l * p.m + i : i * p.k + l);
          const auto at_b = static_cast<size_t>(transpose_b ? j * p.k + l : l * p.n + j);
          expected += static_cast<double>(a[at_a]) * b[at_b];
        }
        ASSERT_NEAR(c[static_cast<size_t>(i * p.n + j)], expected, 1e-5 * std::sqrt(p.k) * 4)
            << p.m << " x " << p.n << " x " << p.k << " at " << i << ", " << j;
      }
    }
  }
}

TEST_P(GemmOrientation, IsTheSameToTheLastBitOnAnyNumberOfThreads) {
  const auto [transpose_a, transpose_b] = GetParam();
  for (const Product& p : kProducts) {
    const auto alone = multiply(p, transpose_a, transpose_b, 1);
    for (const int32_t threads : {2, 3, 7, 32}) {
      const auto shared = multiply(p, transpose_a, transpose_b, threads);
      ASSERT_EQ(std::memcmp(shared.data(), alone.data(), alone.size() * sizeof(float)), 0)
          << p.m << " x " << p.n << " x " << p.k << " on " << threads;
    }
  }
}

TEST(Gemm, TrainingOnItRepeatsExactlyWhateverTheNumberOfThreads) {
  constexpr int32_t kRows = 301;
  constexpr int32_t kWidth = 96;
  const std::vector<float> features = random_floats(static_cast<size_t>(kRows) * static_cast<size_t>(kWidth), 3);
  std::vector<float> targets;
  for (size_t row = 0; row < kRows; ++row) targets.push_back(features[row * kWidth] > 0.5f ? 1.0f : 0.0f);
  std::vector<int32_t> rows(kRows);
  std::iota(rows.begin(), rows.end(), 0);
  for (const auto network : {train::NetworkKind::kOfficial, train::NetworkKind::kCard}) {
    const auto train = [&](int32_t threads) {
      train::WorkerThreads workers(threads);
      const auto gemm = make_gemm(test::runtime_options().library_path, workers.parallel_for(), threads);
      const train::TrainingPlan plan{.network = network, .batch_rows = 100, .epochs = 2, .warmup_steps = 1};
      return train::train_router({features, kWidth, targets, rows, {}}, plan, *gemm, workers.parallel_for(),
                                 [](const train::EpochReport&) { return true; });
    };
    const train::TrainedRouter alone = train(1);
    for (const int32_t threads : {2, 5}) {
      const train::TrainedRouter shared = train(threads);
      ASSERT_EQ(shared.tensors.size(), alone.tensors.size());
      for (size_t t = 0; t < alone.tensors.size(); ++t) {
        EXPECT_EQ(shared.tensors[t].values, alone.tensors[t].values) << alone.tensors[t].name << " on " << threads;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Gemm, GemmOrientation, testing::Combine(testing::Bool(), testing::Bool()));

}  // namespace
}  // namespace saferoute::ort
