#include "model/checksum.h"

#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "model/weight_cache.h"

namespace saferoute::model {
namespace {

std::vector<std::byte> random_bytes(size_t count) {
  std::mt19937 generator(1);
  std::vector<std::byte> bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(generator());
  return bytes;
}

TEST(Checksum, IsTheSameInPieces) {
  const std::vector<std::byte> data = random_bytes(1000);
  for (const size_t piece : {64, 128, 640}) {
    Checksum sum;
    for (size_t at = 0; at < data.size(); at += piece) {
      sum.add(std::span(data).subspan(at, std::min(piece, data.size() - at)));
    }
    EXPECT_EQ(sum.value(), checksum(data));
  }
}

TEST(Checksum, ChangesWithEveryBit) {
  std::vector<std::byte> data = random_bytes(200);
  std::set<uint64_t> seen{checksum(data)};
  for (size_t bit = 0; bit < 8 * data.size(); ++bit) {
    data[bit / 8] ^= std::byte(1 << bit % 8);
    EXPECT_TRUE(seen.insert(checksum(data)).second) << bit;
    data[bit / 8] ^= std::byte(1 << bit % 8);
  }
}

// Damage often comes twice alike: a stuck bit, two sectors swapped, a hole of zeros.
TEST(Checksum, ChangesWithTwoBits) {
  std::vector<std::byte> data = random_bytes(192);
  const uint64_t sound = checksum(data);
  for (size_t first = 0; first < 8 * data.size(); ++first) {
    data[first / 8] ^= std::byte(1 << first % 8);
    for (size_t second = first + 1; second < 8 * data.size(); ++second) {
      data[second / 8] ^= std::byte(1 << second % 8);
      EXPECT_NE(checksum(data), sound) << first << " and " << second;
      data[second / 8] ^= std::byte(1 << second % 8);
    }
    data[first / 8] ^= std::byte(1 << first % 8);
  }
}

TEST(Checksum, ChangesWithTheOrder) {
  const std::vector<std::byte> data = random_bytes(8 * 64);
  for (size_t width = 8; width <= data.size() / 2; width *= 2) {
    std::vector<std::byte> swapped = data;
    std::swap_ranges(swapped.begin(), swapped.begin() + static_cast<ptrdiff_t>(width),
                     swapped.begin() + static_cast<ptrdiff_t>(width));
    EXPECT_NE(checksum(swapped), checksum(data)) << width;
  }
}

TEST(Checksum, TellsLengthsOfZerosApart) {
  const std::vector<std::byte> zeros(300);
  std::set<uint64_t> seen;
  for (size_t size = 0; size <= zeros.size(); ++size) {
    EXPECT_TRUE(seen.insert(checksum(std::span(zeros).first(size))).second) << size;
  }
}

}  // namespace
}  // namespace saferoute::model
