// A memory plan as text, for people: `saferoute inspect --plan`, and errors.
#pragma once

#include <cstdint>
#include <string>

#include "cuda/memory_plan.h"

namespace saferoute::cuda {

// "1.5 GiB", "12.0 MiB", "3.0 KiB"
std::string size_text(uint64_t bytes);

// A line to each part of each guard, then the totals against their limits. No line end at the end.
std::string plan_table(const MemoryPlan& plan);

}  // namespace saferoute::cuda
