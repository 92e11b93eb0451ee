// What the cases of this bench report.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace saferoute::bench {

struct Figure {
  std::string name;  // "single check, cached head"
  std::string unit;  // "ms", "us", "s", "TFLOP/s", "%"
  double median = 0;
  double p95 = 0;
  double target = 0;  // at most, or at least; 0: none
  size_t samples = 0;
  bool at_least = false;

  bool reached() const { return at_least ? median >= target : median <= target; }
};

// Takes each figure as soon as it is found, from cases that run for minutes.
using Report = std::function<void(Figure)>;

// `samples` in any order, at least one. p95 of what should be large is the fifth percentile.
inline Figure figure_of(std::string name, std::string unit, std::vector<double> samples, double target = 0) {
  std::ranges::sort(samples);
  const auto at = [&](double share) {
    return samples[static_cast<size_t>(share * static_cast<double>(samples.size() - 1))];
  };
  return {std::move(name), std::move(unit), at(0.5), at(0.95), target, samples.size()};
}

inline Figure figure_at_least(std::string name, std::string unit, std::vector<double> samples, double target = 0) {
  for (double& sample : samples) sample = -sample;
  Figure figure = figure_of(std::move(name), std::move(unit), std::move(samples), target);
  figure.median = -figure.median;
  figure.p95 = -figure.p95;
  figure.at_least = true;
  return figure;
}

}  // namespace saferoute::bench
