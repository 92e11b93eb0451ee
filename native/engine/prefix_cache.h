// Which pages hold the keys and values of which tokens: a radix tree over token ids whose edges are pages. Prompts that
// begin alike share the pages of what they have in common; what nobody uses goes, least recently used first.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/backend.h"

namespace saferoute::engine {

// A prompt's hold on the pages of all its tokens, from the cut of its first pass to the end of its last. Given back to
// the cache that it came from by PrefixCache::finish.
struct PageLease {
  std::vector<PageId> pages;     // (ceil(prompt tokens / kPageTokens)): first the shared ones, then its own
  int32_t cached_tokens = 0;     // that need not be computed: always fewer than the prompt has
  std::optional<PageCopy> copy;  // where the cached tokens end inside a page that the tree holds: before the
                                 // first pass, that page is to be copied to the prompt's own
};

struct PrefixCacheStats {
  int32_t pages = 0;       // within the budget
  int32_t pages_used = 0;  // in the tree or leased
  uint64_t evicted_pages = 0;
};

// Guarded by the scheduler's mutex. Knows ids only; the pages themselves are the backend's.
class PrefixCache {
 public:
  // `pages` >= 1 of budget: ids 0 to pages - 1.
  explicit PrefixCache(int32_t pages);
  ~PrefixCache();
  PrefixCache(PrefixCache&&) noexcept;
  PrefixCache& operator=(PrefixCache&&) noexcept;

  // Leading tokens of `ids` whose keys and values a lease would find, at most ids.size() - 1. Changes nothing.
  int32_t match(std::span<const int32_t> ids) const;

  // Pages for the whole of `ids`, evicting what is unused. Empty where the pages of other leases leave too few; a
  // prompt that needs more than the whole budget waits until no other lease stands and then gets ids beyond the budget.
  std::optional<PageLease> lease(std::span<const int32_t> ids);

  // Ends a lease. The first `computed_tokens` of `ids` (cached ones included) now stand in its pages and are kept for
  // prompts to come, overflow pages excepted; the other pages are free. `keep` false frees all of its own.
  // True where the lease held overflow pages, which the backend may free now.
  bool finish(PageLease lease, std::span<const int32_t> ids, int32_t computed_tokens, bool keep);

  PrefixCacheStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace saferoute::engine
