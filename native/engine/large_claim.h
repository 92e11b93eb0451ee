// A cascade's hold on the large guard: which rows of the small guard's flight the device may have it read in the same
// pass, and the pages that these have there meanwhile.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/device_cascade.h"
#include "engine/job.h"
#include "engine/prefix_cache.h"

namespace saferoute::engine {

struct LargeClaim {
  EscalationPlan plan;                           // (jobs of the flight)
  std::vector<std::optional<PageLease>> leases;  // (jobs): for the large guard's prompt; none where the plan forbids
  uint64_t rows = 0;                             // that the plan does not forbid
};

// Gives every row that `plan` does not forbid its pages, in order, and forbids it where there are none to be had, where
// its prompt needs more than the cache's whole budget (the device has no pages beyond), or where the tokens to be
// computed of it and of the rows before it, as if all were hard, exceed `budget_tokens`. Empty where that leaves no
// row. Of rows there are never too many: both guards take as many to a pass.
std::optional<LargeClaim> claim_rows(const JobList& flight, EscalationPlan plan, PrefixCache& cache,
                                     int64_t budget_tokens);

}  // namespace saferoute::engine
