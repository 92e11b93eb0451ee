// How a router's int8 weights lie in memory. Apart, so that kernels can include it: see cpu/kernels.h on what they may.
#pragma once

#include <cstdint>

namespace saferoute::router {

// Neighbouring inputs of an output that share a scale. Rows are padded with zeros to whole groups.
inline constexpr int32_t kGroupInputs = 64;

constexpr int64_t groups_of(int64_t inputs) { return (inputs + kGroupInputs - 1) / kGroupInputs; }

}  // namespace saferoute::router
