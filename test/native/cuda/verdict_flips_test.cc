// That flips are counted: the device test that counts them runs on few machines.
#include "cuda/verdict_flips.h"

#include <cmath>

#include <gtest/gtest.h>

namespace saferoute::test {
namespace {

TEST(VerdictFlips, AreCountedWithAndWithoutAMargin) {
  const Flips flips = flips_of({0.9f, 0.1f, 0.52f, 0.48f, 0.7f, 0.51f}, {0.4f, 0.2f, 0.3f, 0.45f, 0.501f, 0.9f});
  EXPECT_EQ(flips.rows, 6u);
  EXPECT_EQ(flips.all, 2u);
  EXPECT_EQ(flips.clear, 1u);
  EXPECT_DOUBLE_EQ(flips.clear_share(), 1.0 / 6);
}

TEST(VerdictFlips, AScoreThatIsNoneIsAFlip) {
  const Flips flips = flips_of({0.1f, 0.52f}, {NAN, NAN});
  EXPECT_EQ(flips.all, 2u);
  EXPECT_EQ(flips.clear, 2u);
}

}  // namespace
}  // namespace saferoute::test
