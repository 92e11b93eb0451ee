// What the cases of this bench report.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

namespace saferoute::bench {

struct Figure {
  std::string name;  // "single check, cached head"
  std::string unit;  // "ms", "µs", "s"
  double median = 0;
  double p95 = 0;
  double target = 0;  // at most; 0: none
  size_t samples = 0;
};

// `samples` in any order, at least one.
inline Figure figure_of(std::string name, std::string unit, std::vector<double> samples, double target = 0) {
  std::ranges::sort(samples);
  const auto at = [&](double share) {
    return samples[static_cast<size_t>(share * static_cast<double>(samples.size() - 1))];
  };
  return {std::move(name), std::move(unit), at(0.5), at(0.95), target, samples.size()};
}

}  // namespace saferoute::bench
