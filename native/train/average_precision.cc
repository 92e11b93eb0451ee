#include "train/average_precision.h"

#include <algorithm>
#include <numeric>
#include <vector>

namespace saferoute::train {

double average_precision(std::span<const uint8_t> hard, std::span<const float> scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  double sum = 0;  // of precision times hard rows gained
  size_t found = 0;
  for (size_t first = 0; first < order.size();) {
    size_t last = first;
    size_t gained = 0;
    for (; last < order.size() && scores[order[last]] == scores[order[first]]; ++last) gained += hard[order[last]];
    found += gained;
    sum += static_cast<double>(gained) * static_cast<double>(found) / static_cast<double>(last);
    first = last;
  }
  return sum / static_cast<double>(found);
}

}  // namespace saferoute::train
