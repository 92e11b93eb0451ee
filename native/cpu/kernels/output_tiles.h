// How a fully connected layer goes through its outputs: a tile of them at a time, each for all rows.
#pragma once

#include <cstdint>

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

// Calls body.template operator()<n>(row, first_output) for n outputs each, kTile or, at the end, 1. A weight is fetched
// from memory once for all rows, and which n an output falls to depends on the output alone, so that a row's outcome is
// the same in every batch.
template <int kTile, typename F>
inline void for_output_tiles(int64_t rows, int64_t outputs, F&& body) {
  int64_t output = 0;
  for (; output + kTile <= outputs; output += kTile) {
    for (int64_t row = 0; row < rows; ++row) body.template operator()<kTile>(row, output);
  }
  for (; output < outputs; ++output) {
    for (int64_t row = 0; row < rows; ++row) body.template operator()<1>(row, output);
  }
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
