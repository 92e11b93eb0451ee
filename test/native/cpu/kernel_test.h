// What the tests of all ops share: seeded inputs, every variant of the kernels that this CPU runs, and every way to run
// the work.
#pragma once

#include <atomic>
#include <cmath>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "cpu/kernels.h"
#include "cpu/parallel_for.h"
#include "random_floats.h"

namespace saferoute::cpu {

// Last index first.
inline ParallelFor reversed() {
  return {[](void*, ParallelFor::Body body, size_t count, void* user) {
            while (count-- > 0) body(user, count);
          },
          nullptr};
}

// Three threads that take whatever index is next.
inline ParallelFor threaded() {
  return {[](void*, ParallelFor::Body body, size_t count, void* user) {
            std::atomic<size_t> next = 0;
            std::vector<std::jthread> threads;
            for (int t = 0; t < 3; ++t) {
              threads.emplace_back([&] {
                for (size_t index; (index = next++) < count;) body(user, index);
              });
            }
          },
          nullptr};
}

struct Schedule {
  const char* name;
  ParallelFor parallel_for;
};

// Fixture over (variant, schedule).
class KernelTest : public testing::TestWithParam<std::tuple<const Kernels*, Schedule>> {
 protected:
  const Kernels& kernels() const { return *std::get<0>(GetParam()); }
  ParallelFor parallel_for() const { return std::get<1>(GetParam()).parallel_for; }
};

inline auto every_variant_and_schedule() {
  const auto variants = supported_kernels();
  return testing::Combine(testing::ValuesIn(variants.begin(), variants.end()),
                          testing::Values(Schedule{"serial", serial()}, Schedule{"reversed", reversed()},
                                          Schedule{"threaded", threaded()}));
}

inline std::string variant_and_schedule(const testing::TestParamInfo<KernelTest::ParamType>& info) {
  return std::string(std::get<0>(info.param)->name) + "_" + std::get<1>(info.param).name;
}

// |actual - expected| <= tolerance · max(1, |expected|) for every element.
inline void expect_close(const std::vector<float>& actual, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(actual[i] - expected[i]);
    ASSERT_LE(error, tolerance * std::max(1.0, std::abs(expected[i])))  // false for NaN
        << "element " << i << ": " << actual[i] << " instead of " << expected[i];
  }
}

}  // namespace saferoute::cpu
