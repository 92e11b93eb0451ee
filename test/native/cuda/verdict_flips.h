// How often two ways to read the same messages end in another verdict.
#pragma once

#include <cmath>
#include <cstddef>
#include <ostream>
#include <vector>

namespace saferoute::test {

inline constexpr float kUnsafeAt = 0.5f;
inline constexpr float kMargin = 0.05f;  // a score nearer to kUnsafeAt than this says nothing in f32 either

struct Flips {
  size_t rows = 0;
  size_t all = 0;
  size_t clear = 0;  // of scores that had a margin

  double clear_share() const { return static_cast<double>(clear) / static_cast<double>(rows); }
};

// A score that is not a number is a flip of every kind: no verdict came of it.
inline Flips flips_of(const std::vector<float>& expected, const std::vector<float>& got) {
  Flips flips{.rows = expected.size()};
  for (size_t row = 0; row < expected.size(); ++row) {
    const bool flipped = std::isnan(got[row]) || (expected[row] > kUnsafeAt) != (got[row] > kUnsafeAt);
    const bool clear = std::isnan(got[row]) || std::abs(expected[row] - kUnsafeAt) >= kMargin;
    flips.all += flipped;
    flips.clear += flipped && clear;
  }
  return flips;
}

inline std::ostream& operator<<(std::ostream& out, const Flips& flips) {
  return out << flips.all << " verdicts of " << flips.rows << " turned over, " << flips.clear << " with a margin ("
             << 100 * flips.clear_share() << " %)";
}

}  // namespace saferoute::test
