// What PyTorch, transformers and scikit-learn make of the same inputs: test/golden/training_goldens.py.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace saferoute::train::test {

// One file of lines `name value value …`.
class Goldens {
 public:
  explicit Goldens(const std::string& name);

  // Throws std::out_of_range for a name that is not there.
  const std::vector<double>& operator[](const std::string& name) const { return values_.at(name); }
  double one(const std::string& name) const { return values_.at(name).at(0); }
  std::vector<float> floats(const std::string& name) const {
    return {values_.at(name).begin(), values_.at(name).end()};
  }

 private:
  std::map<std::string, std::vector<double>> values_;
};

// Every |actual - expected| is at most `tolerance` times the largest |expected|.
template <typename Actual>
void expect_near(const Actual& actual, const std::vector<double>& expected, double tolerance, const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  double largest = 0;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_LE(std::abs(actual[i] - expected[i]), tolerance * largest)  // false for NaN
        << what << "[" << i << "]: " << actual[i] << " instead of " << expected[i];
  }
}

}  // namespace saferoute::train::test
