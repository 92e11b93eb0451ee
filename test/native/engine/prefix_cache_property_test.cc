// Random sequences of leases, passes and ends against naive models: what a lease calls cached stands in its pages, no
// page serves two masters, nothing that is kept is lost while there is room, and no page leaks.
#include <algorithm>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "engine/page_memory.h"
#include "engine/prefix_cache.h"

namespace saferoute::engine {
namespace {

using Ids = std::vector<int32_t>;

struct OpenLease {
  Ids ids;
  PageLease lease{};
  int32_t computed = 0;
  bool copied = false;
};

// Prompts over three tokens that begin, more often than not, as one before them did.
class PromptSource {
 public:
  explicit PromptSource(uint32_t seed) : random_(seed) {}

  size_t below(size_t limit) { return random_() % limit; }

  Ids next(size_t longest) {
    Ids ids;
    if (!past_.empty() && below(4) > 0) {
      const Ids& before = past_[below(past_.size())];
      ids.assign(before.begin(), before.begin() + static_cast<ptrdiff_t>(below(before.size() + 1)));
    }
    const size_t length = std::max(ids.size(), 1 + below(longest));
    while (ids.size() < length) ids.push_back(static_cast<int32_t>(below(3)));
    past_.push_back(ids);
    return ids;
  }

 private:
  std::mt19937 random_;
  std::vector<Ids> past_;
};

size_t common_prefix(const Ids& a, const Ids& b) {
  size_t length = 0;
  while (length < a.size() && length < b.size() && a[length] == b[length]) ++length;
  return length;
}

Ids beginning(const Ids& ids, int32_t count) { return Ids(ids.begin(), ids.begin() + count); }

class PrefixCacheProperty : public testing::TestWithParam<uint32_t> {
 protected:
  void lease() {
    OpenLease opened{.ids = source_.next(budget_ * kPageTokens + 20)};
    const int32_t match = cache_.match(opened.ids);
    ASSERT_LT(match, static_cast<int32_t>(opened.ids.size()));
    const std::optional<PageLease> lease = cache_.lease(opened.ids);
    const size_t pages = (opened.ids.size() + kPageTokens - 1) / kPageTokens;
    if (!lease) {
      ASSERT_FALSE(open_.empty()) << "a prompt alone is never refused";
      return;
    }
    opened.lease = *lease;
    opened.computed = lease->cached_tokens;
    ASSERT_EQ(lease->pages.size(), pages);
    ASSERT_TRUE(lease->cached_tokens == match || lease->cached_tokens == match / kPageTokens * kPageTokens);
    ASSERT_EQ(lease->copy.has_value(), lease->cached_tokens % kPageTokens != 0);
    check_own_pages(opened);
    check_cached(opened);
    open_.push_back(std::move(opened));
  }

  // Pages that the lease is to write: nobody else's, and never two of its own.
  void check_own_pages(const OpenLease& opened) {
    std::set<PageId> taken;
    for (const OpenLease& other : open_) {
      taken.insert(other.lease.pages.begin(), other.lease.pages.end());
      if (other.lease.copy) taken.insert(other.lease.copy->from);
    }
    const size_t shared = static_cast<size_t>(opened.lease.cached_tokens / kPageTokens);
    taken.insert(opened.lease.pages.begin(), opened.lease.pages.begin() + static_cast<ptrdiff_t>(shared));
    for (size_t page = shared; page < opened.lease.pages.size(); ++page) {
      ASSERT_TRUE(taken.insert(opened.lease.pages[page]).second) << "page " << opened.lease.pages[page];
    }
  }

  // The cached tokens stand in the pages that the lease shares and in the one that it is to copy.
  void check_cached(const OpenLease& opened) {
    std::vector<PageId> pages = opened.lease.pages;
    if (opened.lease.copy && !opened.copied) {
      pages[static_cast<size_t>(opened.lease.cached_tokens / kPageTokens)] = opened.lease.copy->from;
    }
    ASSERT_EQ(memory_.read(pages, static_cast<size_t>(opened.computed)), beginning(opened.ids, opened.computed));
  }

  void compute(OpenLease& opened) {
    check_cached(opened);
    if (opened.lease.copy && !opened.copied) memory_.copy(*opened.lease.copy);
    opened.copied = true;
    const size_t left = opened.ids.size() - static_cast<size_t>(opened.computed);
    if (left == 0) return;
    const size_t count = 1 + source_.below(left);
    memory_.compute(opened.lease.pages, opened.computed, std::span(opened.ids).subspan(opened.computed, count));
    opened.computed += static_cast<int32_t>(count);
    check_cached(opened);
  }

  void finish(size_t index, bool keep) {
    const OpenLease opened = std::move(open_[index]);
    open_.erase(open_.begin() + static_cast<ptrdiff_t>(index));
    check_cached(opened);
    const bool overflowed = cache_.finish(opened.lease, opened.ids, opened.computed, keep);
    const auto beyond = [&](PageId page) { return page >= static_cast<PageId>(budget_); };
    ASSERT_EQ(overflowed, std::any_of(opened.lease.pages.begin(), opened.lease.pages.end(), beyond));
    if (overflowed) memory_.release_from(static_cast<PageId>(budget_));
    if (keep) {
      const int32_t kept = std::min(opened.computed, static_cast<int32_t>(budget_) * kPageTokens);
      ASSERT_GE(cache_.match(opened.ids), std::min(kept, static_cast<int32_t>(opened.ids.size()) - 1));
    }
  }

  PromptSource source_{GetParam()};
  const size_t budget_ = 1 + GetParam() % 9;
  PrefixCache cache_{static_cast<int32_t>(budget_)};
  PageMemory memory_;
  std::vector<OpenLease> open_;
};

TEST_P(PrefixCacheProperty, PagesHoldWhatALeaseCallsCached) {
  for (int step = 0; step < 3000 && !HasFatalFailure(); ++step) {
    const size_t action = source_.below(8);
    if (action < 3 || open_.empty()) {
      lease();
    } else if (const size_t index = source_.below(open_.size()); action < 6) {
      compute(open_[index]);
    } else {
      finish(index, action == 6);
    }
    ASSERT_LE(cache_.stats().pages_used, static_cast<int32_t>(budget_));
  }
  while (!open_.empty()) finish(0, true);
  // Whatever is not free can be evicted: the whole budget can be had at once.
  const Ids fresh(budget_ * kPageTokens, 9);
  const std::optional<PageLease> whole = cache_.lease(fresh);
  ASSERT_TRUE(whole);
  EXPECT_EQ(std::set<PageId>(whole->pages.begin(), whole->pages.end()).size(), budget_);
  cache_.finish(*whole, fresh, 0, false);
  EXPECT_EQ(cache_.stats().pages_used, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PrefixCacheProperty, testing::Range(0u, 36u));

class PrefixCacheRecall : public testing::TestWithParam<uint32_t> {};

TEST_P(PrefixCacheRecall, FindsTheLongestBeginningOfAllThatWasKept) {
  PromptSource source(GetParam());
  PrefixCache cache(20000);
  std::vector<Ids> kept;
  for (int step = 0; step < 500; ++step) {
    const Ids ids = source.next(90);
    size_t longest = 0;
    for (const Ids& before : kept) longest = std::max(longest, common_prefix(before, ids));
    longest = std::min(longest, ids.size() - 1);
    ASSERT_EQ(cache.match(ids), static_cast<int32_t>(longest));
    const PageLease lease = cache.lease(ids).value();
    ASSERT_EQ(lease.cached_tokens, static_cast<int32_t>(longest));
    const size_t computed = std::max(longest, source.below(ids.size() + 1));
    cache.finish(lease, ids, static_cast<int32_t>(computed), true);
    kept.push_back(beginning(ids, static_cast<int32_t>(computed)));
  }
  EXPECT_EQ(cache.stats().evicted_pages, 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PrefixCacheRecall, testing::Range(0u, 8u));

}  // namespace
}  // namespace saferoute::engine
