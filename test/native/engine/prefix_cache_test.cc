// What the prefix cache finds, what it keeps, and what it gives away first.
#include "engine/prefix_cache.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

namespace saferoute::engine {
namespace {

using Ids = std::vector<int32_t>;

// `count` tokens from `first` on, upwards.
Ids run(int32_t first, size_t count) {
  Ids ids(count);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

Ids operator+(Ids head, const Ids& tail) {
  head.insert(head.end(), tail.begin(), tail.end());
  return head;
}

// Leases `ids`, computes all of them and gives the lease back.
PageLease keep(PrefixCache& cache, const Ids& ids) {
  const PageLease lease = cache.lease(ids).value();
  cache.finish(lease, ids, static_cast<int32_t>(ids.size()), true);
  return lease;
}

TEST(PrefixCache, FindsNothingAtFirst) {
  PrefixCache cache(4);
  const Ids ids = run(0, 20);
  EXPECT_EQ(cache.match(ids), 0);
  const PageLease lease = cache.lease(ids).value();
  EXPECT_EQ(lease.pages.size(), 2u);
  EXPECT_EQ(lease.cached_tokens, 0);
  EXPECT_FALSE(lease.copy);
  EXPECT_EQ(cache.stats().pages_used, 2);
}

TEST(PrefixCache, SharesFullPagesAndCopiesThePageWhereTwoPromptsPart) {
  PrefixCache cache(8);
  const PageLease first = keep(cache, run(0, 40));
  const Ids second = run(0, 25) + run(100, 20);
  EXPECT_EQ(cache.match(second), 25);
  const PageLease lease = cache.lease(second).value();
  EXPECT_EQ(lease.cached_tokens, 25);
  ASSERT_EQ(lease.pages.size(), 3u);
  EXPECT_EQ(lease.pages[0], first.pages[0]);
  ASSERT_TRUE(lease.copy);
  EXPECT_EQ(lease.copy->from, first.pages[1]);
  EXPECT_EQ(lease.copy->to, lease.pages[1]);
  for (size_t page = 1; page < 3; ++page) {
    EXPECT_EQ(std::count(first.pages.begin(), first.pages.end(), lease.pages[page]), 0);
  }
}

TEST(PrefixCache, NeedsNoCopyWhereAPageEnds) {
  PrefixCache cache(8);
  keep(cache, run(0, 32));
  const PageLease lease = cache.lease(run(0, 33)).value();
  EXPECT_EQ(lease.cached_tokens, 32);
  EXPECT_FALSE(lease.copy);
}

// The reading is of the last token, which therefore is computed always.
TEST(PrefixCache, LeavesTheLastTokenToCompute) {
  PrefixCache cache(8);
  keep(cache, run(0, 32));
  EXPECT_EQ(cache.match(run(0, 32)), 31);
  EXPECT_EQ(cache.match(run(0, 1)), 0);
  const PageLease lease = cache.lease(run(0, 32)).value();
  EXPECT_EQ(lease.cached_tokens, 31);
  EXPECT_TRUE(lease.copy);
}

TEST(PrefixCache, KeepsOnlyWhatWasComputed) {
  PrefixCache cache(8);
  const Ids ids = run(0, 40);
  cache.finish(cache.lease(ids).value(), ids, 20, true);
  EXPECT_EQ(cache.match(ids), 20);
  EXPECT_EQ(cache.stats().pages_used, 2);
}

TEST(PrefixCache, KeepsNothingThatIsNotToBeKept) {
  PrefixCache cache(8);
  const Ids ids = run(0, 40);
  cache.finish(cache.lease(ids).value(), ids, 40, false);
  EXPECT_EQ(cache.match(ids), 0);
  EXPECT_EQ(cache.stats().pages_used, 0);
}

TEST(PrefixCache, KeepsOneOfTwoEqualPages) {
  PrefixCache cache(8);
  const Ids first = run(0, 33), second = run(0, 20);
  const PageLease longer = cache.lease(first).value();
  const PageLease shorter = cache.lease(second).value();
  EXPECT_EQ(cache.stats().pages_used, 5);
  cache.finish(longer, first, 33, true);
  cache.finish(shorter, second, 20, true);
  EXPECT_EQ(cache.stats().pages_used, 3);
  EXPECT_EQ(cache.match(run(0, 100)), 33);
}

TEST(PrefixCache, AGrowingConversationLeavesNoPagesBehind) {
  PrefixCache cache(8);
  for (size_t length = 1; length <= 64; ++length) {
    keep(cache, run(0, length));
    EXPECT_EQ(cache.stats().pages_used, static_cast<int32_t>((length + 15) / 16)) << length;
  }
}

TEST(PrefixCache, TellsManyChildrenOfOnePageApart) {
  constexpr int32_t kChildren = 5000;
  PrefixCache cache(kChildren + 2);
  const Ids head = run(0, 16);
  // Every child begins with the same token, so that the second and the third tell them apart.
  for (int32_t child = 0; child < kChildren; ++child) keep(cache, head + Ids{7, child / 50, child % 50, 1});
  EXPECT_EQ(cache.stats().pages_used, kChildren + 1);
  for (int32_t child = 0; child < kChildren; ++child) {
    EXPECT_EQ(cache.match(head + Ids{7, child / 50, child % 50, 1, 2}), 20);
  }
  EXPECT_EQ(cache.match(head + Ids{7, 3, 77, 1}), 18);
  EXPECT_EQ(cache.match(head + Ids{7, -1, 0}), 17);
  EXPECT_EQ(cache.match(head + Ids{6, 0, 0}), 16);
}

TEST(PrefixCache, EvictsWhatWasOutOfUseForLongest) {
  PrefixCache cache(4);
  for (const int32_t first : {0, 100, 200, 300}) keep(cache, run(first, 16));
  keep(cache, run(0, 16));  // in its stead 100 is the longest out of use, and makes room for the copy
  EXPECT_EQ(cache.match(run(100, 17)), 0);
  keep(cache, run(400, 32));  // the copy was freed as a duplicate; one more page is needed
  EXPECT_EQ(cache.stats().evicted_pages, 2u);
  EXPECT_EQ(cache.match(run(0, 17)), 16);
  EXPECT_EQ(cache.match(run(200, 17)), 0);
  EXPECT_EQ(cache.match(run(300, 17)), 16);
}

TEST(PrefixCache, EvictsLeavesBeforeWhatTheyGrowFrom) {
  PrefixCache cache(4);
  keep(cache, run(0, 32));
  keep(cache, run(100, 48));
  EXPECT_EQ(cache.match(run(0, 33)), 16);
  EXPECT_EQ(cache.match(run(100, 49)), 48);
}

TEST(PrefixCache, NeverEvictsWhatALeaseUses) {
  PrefixCache cache(4);
  keep(cache, run(0, 24));
  const Ids ids = run(0, 20) + run(50, 5);
  const PageLease lease = cache.lease(ids).value();  // one page shared, one to copy from, one of its own
  EXPECT_FALSE(cache.lease(run(100, 17)));
  const PageLease other = cache.lease(run(100, 16)).value();
  EXPECT_EQ(cache.stats().evicted_pages, 0u);
  cache.finish(lease, ids, 25, true);
  cache.finish(other, run(100, 16), 16, false);
  EXPECT_TRUE(cache.lease(run(100, 48)));
}

TEST(PrefixCache, ALeaseThatIsRefusedEvictsNothing) {
  PrefixCache cache(4);
  keep(cache, run(0, 32));
  const PageLease held = cache.lease(run(100, 16)).value();
  EXPECT_FALSE(cache.lease(run(200, 64)));
  EXPECT_EQ(cache.match(run(0, 33)), 32);
  EXPECT_EQ(cache.stats().evicted_pages, 0u);
}

// Were the page that it could copy from held beside its own, there would be one too few for ever.
TEST(PrefixCache, APromptAsLargeAsTheBudgetGivesUpItsCopy) {
  PrefixCache cache(2);
  keep(cache, run(0, 24));
  const Ids ids = run(0, 20) + run(50, 12);
  const PageLease lease = cache.lease(ids).value();
  EXPECT_EQ(lease.cached_tokens, 16);
  EXPECT_FALSE(lease.copy);
}

TEST(PrefixCache, APromptBeyondTheBudgetWaitsUntilItIsAlone) {
  PrefixCache cache(2);
  const Ids ids = run(0, 64);
  const PageLease other = cache.lease(run(100, 1)).value();
  EXPECT_FALSE(cache.lease(ids));
  EXPECT_FALSE(cache.finish(other, run(100, 1), 1, true));
  const PageLease lease = cache.lease(ids).value();
  std::vector<PageId> pages = lease.pages;
  std::sort(pages.begin(), pages.end());
  EXPECT_EQ(pages, (std::vector<PageId>{0, 1, 2, 3}));
  EXPECT_EQ(lease.pages[2], 2);
  EXPECT_EQ(lease.pages[3], 3);
  EXPECT_FALSE(cache.lease(run(100, 1)));
  EXPECT_TRUE(cache.finish(lease, ids, 64, true));
  EXPECT_EQ(cache.match(ids), 32);
  EXPECT_EQ(cache.stats().pages_used, 2);
}

}  // namespace
}  // namespace saferoute::engine
