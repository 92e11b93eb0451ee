#include "engine/large_claim.h"

#include <algorithm>
#include <utility>

namespace saferoute::engine {
namespace {

// Pages for `ids`, if they are within the budget and leave no more than `left_tokens` to compute.
std::optional<PageLease> lease_within(std::span<const int32_t> ids, PrefixCache& cache, int64_t left_tokens) {
  const auto tokens = static_cast<int64_t>(ids.size());
  if (tokens > static_cast<int64_t>(cache.stats().pages) * kPageTokens) return std::nullopt;
  if (tokens - cache.match(ids) > left_tokens) return std::nullopt;
  std::optional<PageLease> lease = cache.lease(ids);
  if (!lease || tokens - lease->cached_tokens <= left_tokens) return lease;
  // A lease of nearly all pages finds less in the cache than is in it.
  cache.finish(*std::move(lease), ids, 0, false);
  return std::nullopt;
}

}  // namespace

std::optional<LargeClaim> claim_rows(const JobList& flight, EscalationPlan plan, PrefixCache& cache,
                                     int64_t budget_tokens) {
  LargeClaim claim{.plan = std::move(plan), .leases = {}};
  claim.leases.reserve(flight.size());
  int64_t left_tokens = budget_tokens;
  auto rule = claim.plan.rows.begin();
  for (const Job& job : flight) {
    std::optional<PageLease>& lease = claim.leases.emplace_back();
    const std::vector<int32_t>& ids = job.ids_for(LaneId::kLarge);
    if (*rule != RowRule::kForbidden) lease = lease_within(ids, cache, left_tokens);
    if (lease) {
      left_tokens -= static_cast<int64_t>(ids.size()) - lease->cached_tokens;
      claim.rows += 1;
    } else {
      *rule = RowRule::kForbidden;
    }
    ++rule;
  }
  if (claim.rows == 0) return std::nullopt;
  return claim;
}

}  // namespace saferoute::engine
