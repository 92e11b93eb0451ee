// How far apart the rows of two matrices are in direction.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

namespace saferoute::test {

// 1 - cosine of each row of a and b (rows, size), which says more than the cosine where both are nearly the same.
inline std::vector<double> row_distances(const std::vector<float>& a, const std::vector<float>& b, size_t rows) {
  const size_t size = a.size() / rows;
  std::vector<double> distances;
  for (size_t row = 0; row < rows; ++row) {
    double product = 0, a_squares = 0, b_squares = 0;
    for (size_t i = row * size; i < (row + 1) * size; ++i) {
      product += static_cast<double>(a[i]) * b[i];
      a_squares += static_cast<double>(a[i]) * a[i];
      b_squares += static_cast<double>(b[i]) * b[i];
    }
    distances.push_back(1 - product / std::sqrt(a_squares * b_squares));
  }
  return distances;
}

}  // namespace saferoute::test
