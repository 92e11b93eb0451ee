#include "cpu/kernels.h"

#include <algorithm>
#include <set>

#include "cpu/cpu_features.h"
#include "cpu/kernel_test.h"

namespace saferoute::cpu {
namespace {

TEST(Kernels, ThePlainBuildIsAlwaysThereAndTheBestIsTheLast) {
  const auto variants = supported_kernels();
  ASSERT_FALSE(variants.empty());
  EXPECT_STREQ(variants.front()->name, "baseline");
  EXPECT_EQ(&best_kernels(), variants.back());
}

TEST(Kernels, EachVariantIsCompiledApart) {
  std::set<const char*> names;
  std::set<decltype(Kernels::paged_attention_tile)> tiles;
  for (const Kernels* variant : supported_kernels()) {
    names.insert(variant->name);
    tiles.insert(variant->paged_attention_tile);
  }
  EXPECT_EQ(names.size(), supported_kernels().size());
  EXPECT_EQ(tiles.size(), supported_kernels().size());
}

TEST(Kernels, AgreeWithTheFeaturesThatAreReported) {
  const auto features = cpu_features();
  const auto has = [&](const char* name) { return std::count(features.begin(), features.end(), name) == 1; };
  const auto runs = [](const std::string& name) {
    return std::ranges::any_of(supported_kernels(), [&](const Kernels* variant) { return variant->name == name; });
  };
  const bool avx2 = has("avx2") && has("fma") && has("f16c");
  EXPECT_EQ(runs("avx2"), avx2);
  EXPECT_EQ(runs("avx512"), avx2 && has("avx512f") && has("avx512bw") && has("avx512dq") && has("avx512vl"));
}

TEST(ForRanges, CoverEveryIndexOnce) {
  for (const ParallelFor& parallel_for : {serial(), reversed(), threaded()}) {
    for (const int64_t count : {0, 1, 7, 8, 9, 100}) {
      std::vector<std::atomic<int>> visits(static_cast<size_t>(count));
      for_ranges(parallel_for, count, 8, [&](int64_t first, int64_t last) {
        EXPECT_LE(last - first, 8);
        for (int64_t i = first; i < last; ++i) ++visits[static_cast<size_t>(i)];
      });
      for (const auto& visit : visits) EXPECT_EQ(visit, 1);
    }
  }
}

}  // namespace
}  // namespace saferoute::cpu
