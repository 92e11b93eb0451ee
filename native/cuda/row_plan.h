// What was decided of a row before the small guard reads it. Plain C++, no header of CUDA.
#pragma once

#include <cstdint>

namespace saferoute::cuda {

enum class RowPlan : uint8_t { kByRule = 0, kForced = 1, kForbidden = 2 };

}  // namespace saferoute::cuda
