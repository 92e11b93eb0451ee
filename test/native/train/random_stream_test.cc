#include "train/random_stream.h"

#include <cmath>

#include "cpu/kernels.h"
#include "train/goldens.h"

namespace saferoute::train {
namespace {

using test::expect_near;
using test::Goldens;

constexpr uint64_t kSeed = 0x123456789abcdef0;

TEST(RandomStream, IsThreefry) {
  // A test vector of Random123: the counter (0, 0) under the key (0, 0).
  const uint32_t key[2] = {0, 0};
  uint32_t words[cpu::kRandomBlock];
  for (const cpu::Kernels* kernels : cpu::supported_kernels()) {
    kernels->random_bits(key, 0, 0, cpu::kRandomBlock, words);
    EXPECT_EQ(words[0], 0x6b200159u) << kernels->name;
    EXPECT_EQ(words[cpu::kRandomBlock / 2], 0x99ba4efeu) << kernels->name;
  }
}

TEST(RandomStream, GivesTheNumbersOfItsDefinition) {
  const Goldens goldens("random");
  std::vector<uint32_t> bits(75);
  RandomStream(kSeed, RandomUse::kRows, 5).bits(9, 0, bits);
  expect_near(bits, goldens["bits"], 0, "bits");
  std::vector<float> gaussians(200);
  RandomStream(kSeed, RandomUse::kNoise, 3).gaussians(11, 0, gaussians);
  expect_near(gaussians, goldens["gaussians"], 1e-6, "gaussians");
  gaussians.resize(70);
  RandomStream(1, RandomUse::kWeights, 0).gaussians(0, 0, gaussians);
  expect_near(gaussians, goldens["initial_gaussians"], 1e-6, "initial gaussians");
}

TEST(RandomStream, ANumberDependsOnItsPlaceAlone) {
  const RandomStream stream(kSeed, RandomUse::kNoise, 0);
  std::vector<float> whole(1000);
  stream.gaussians(3, 0, whole);
  for (const size_t first : {0u, 32u, 64u, 960u}) {
    for (const size_t count : {1u, 15u, 16u, 17u, 31u, 33u, 40u}) {
      std::vector<float> part(count);
      stream.gaussians(3, static_cast<int64_t>(first), part);
      EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + static_cast<int64_t>(first)))
          << first << " + " << count;
    }
  }
}

TEST(RandomStream, UsesPartsTurnsAndSeedsDiffer) {
  std::vector<uint32_t> first(64);
  RandomStream(kSeed, RandomUse::kNoise, 0).bits(0, 0, first);
  const auto expect_other = [&](RandomStream stream, uint32_t turn) {
    std::vector<uint32_t> other(64);
    stream.bits(turn, 0, other);
    for (size_t i = 0; i < other.size(); ++i) EXPECT_NE(other[i], first[i]);
  };
  expect_other(RandomStream(kSeed, RandomUse::kNoise, 0), 1);
  expect_other(RandomStream(kSeed, RandomUse::kNoise, 1), 0);
  expect_other(RandomStream(kSeed, RandomUse::kDropout, 0), 0);
  expect_other(RandomStream(kSeed + 1, RandomUse::kNoise, 0), 0);
  expect_other(RandomStream(kSeed + (uint64_t{1} << 32), RandomUse::kNoise, 0), 0);
}

TEST(RandomStream, GaussiansHaveTheMomentsOfGaussians) {
  std::vector<float> values(1 << 20);
  RandomStream(7, RandomUse::kNoise, 0).gaussians(0, 0, values);
  double moments[5] = {};
  for (const double value : values) {
    for (int power = 1; power <= 4; ++power)
      moments[power] += std::pow(value, power) / static_cast<double>(values.size());
  }
  // Five standard errors of each.
  EXPECT_NEAR(moments[1], 0, 5 * std::sqrt(1.0 / (1 << 20)));
  EXPECT_NEAR(moments[2], 1, 5 * std::sqrt(2.0 / (1 << 20)));
  EXPECT_NEAR(moments[3], 0, 5 * std::sqrt(15.0 / (1 << 20)));
  EXPECT_NEAR(moments[4], 3, 5 * std::sqrt(96.0 / (1 << 20)));
}

TEST(RandomStream, EveryInstructionSetGivesTheSame) {
  const uint32_t key[2] = {0xdeadbeef, 42};
  std::vector<uint32_t> plain_bits(77), bits(77);
  std::vector<float> plain(5000), values(5000);
  const cpu::Kernels& plainest = *cpu::supported_kernels().front();
  plainest.random_bits(key, 5, 64, 77, plain_bits.data());
  plainest.gaussians(key, 5, 64, 5000, plain.data());
  const std::vector<double> expected(plain.begin(), plain.end());
  for (const cpu::Kernels* kernels : cpu::supported_kernels()) {
    kernels->random_bits(key, 5, 64, 77, bits.data());
    EXPECT_EQ(bits, plain_bits) << kernels->name;
    kernels->gaussians(key, 5, 64, 5000, values.data());
    expect_near(values, expected, 1e-6, kernels->name);
  }
}

}  // namespace
}  // namespace saferoute::train
