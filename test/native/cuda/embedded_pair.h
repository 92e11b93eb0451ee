// The embedded pair, and what the CPU's engine reads of labelled messages with it: bench/gpu/expected-readings.mts
// writes the file, which is never committed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "cuda/guard_source.h"

namespace saferoute::test {

// What one guard is given and says of each message.
struct ExpectedReadings {
  std::vector<std::vector<int32_t>> prompts;
  std::vector<int32_t> verdict_ids;  // safe, unsafe
  std::vector<float> f32;            // (prompts): score
  std::vector<float> int8;           // (prompts): score
};

struct ExpectedPair {
  ExpectedReadings small, large;
  std::vector<float> hardness_f32, hardness_int8;  // (prompts)
  float threshold = 0;                             // harder ones go to the large guard
};

// Of the pair in `folder`, with its router behind the small guard. Throws std::runtime_error for a file that is not as
// expected.
cuda::PairSource embedded_pair(const std::filesystem::path& folder, const ExpectedPair& expected);

// Throws std::runtime_error for a file that is not as expected.
ExpectedPair read_expected(const std::filesystem::path& file);

}  // namespace saferoute::test
