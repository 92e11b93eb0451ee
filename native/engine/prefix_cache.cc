#include "engine/prefix_cache.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/page_tree.h"

namespace saferoute::engine {
namespace {

int32_t pages_of(size_t tokens) { return static_cast<int32_t>((tokens + kPageTokens - 1) / kPageTokens); }

// At least the prompt's last token is computed: the reading is of its hidden state.
std::span<const int32_t> cacheable(std::span<const int32_t> ids) { return ids.first(ids.size() - 1); }

}  // namespace

// A page within the budget is free, or in the tree, or of one lease's own: never two of these.
class PrefixCache::Impl {
 public:
  explicit Impl(int32_t pages) : pages_(pages), tree_(pages), free_(static_cast<size_t>(pages)) {
    std::iota(free_.rbegin(), free_.rend(), 0);
  }

  int32_t match(std::span<const int32_t> ids) const { return tree_.match(cacheable(ids)).tokens; }

  std::optional<PageLease> lease(std::span<const int32_t> ids) {
    const int32_t total = pages_of(ids.size());
    PageTree::Match found = tree_.match(cacheable(ids));
    pin(found);
    const int32_t own = total - static_cast<int32_t>(found.full.size());
    if (own > available() && found.partial) give_up_partial(found);
    const bool may_overflow = total > pages_ && leases_ == 0;
    if (own > available() && !may_overflow) {
      unpin(found);
      return std::nullopt;
    }
    leases_ += 1;
    PageLease lease{.pages = std::move(found.full), .cached_tokens = found.tokens, .copy = {}};
    PageId overflow = pages_;
    for (int32_t page = 0; page < own; ++page) lease.pages.push_back(available() > 0 ? take() : overflow++);
    if (found.partial) {
      lease.copy = PageCopy{.from = *found.partial, .to = lease.pages[static_cast<size_t>(total - own)]};
    }
    return lease;
  }

  bool finish(const PageLease& lease, std::span<const int32_t> ids, int32_t computed_tokens, bool keep) {
    if (lease.copy) tree_.unpin(lease.copy->from);
    const size_t shared = static_cast<size_t>(lease.cached_tokens / kPageTokens);
    const size_t kept = keep ? insert(lease.pages, shared, ids.first(static_cast<size_t>(computed_tokens))) : shared;
    for (const PageId page : std::span(lease.pages).subspan(kept)) {
      if (page < pages_) free_.push_back(page);
    }
    for (size_t page = shared; page-- > 0;) tree_.unpin(lease.pages[page]);
    leases_ -= 1;
    return lease.pages.back() >= pages_;
  }

  PrefixCacheStats stats() const {
    return {.pages = pages_, .pages_used = pages_ - static_cast<int32_t>(free_.size()), .evicted_pages = evicted_};
  }

 private:
  int32_t available() const { return static_cast<int32_t>(free_.size()) + tree_.unpinned(); }

  PageId take() {
    if (free_.empty()) {
      evicted_ += 1;
      return tree_.evict();
    }
    const PageId page = free_.back();
    free_.pop_back();
    return page;
  }

  void pin(const PageTree::Match& match) {
    for (const PageId page : match.full) tree_.pin(page);
    if (match.partial) tree_.pin(*match.partial);
  }

  void unpin(const PageTree::Match& match) {
    if (match.partial) tree_.unpin(*match.partial);
    for (auto page = match.full.rbegin(); page != match.full.rend(); ++page) tree_.unpin(*page);
  }

  // Where every page is needed, the one to be copied from is, too; otherwise a prompt as large as the budget would wait
  // for ever.
  void give_up_partial(PageTree::Match& match) {
    tree_.unpin(*match.partial);
    match.partial.reset();
    match.tokens = static_cast<int32_t>(match.full.size()) * kPageTokens;
  }

  // Puts the pages of `ids` from page `first` on into the tree, those beyond the budget excepted. Returns the first
  // page that is still the lease's.
  size_t insert(std::span<const PageId> pages, size_t first, std::span<const int32_t> ids) {
    PageId parent = first > 0 ? pages[first - 1] : PageTree::kRoot;
    size_t page = first;
    for (; page * kPageTokens < ids.size() && pages[page] < pages_; ++page) {
      const std::span<const int32_t> rest = ids.subspan(page * kPageTokens);
      const auto [node, freed] =
          tree_.insert(parent, rest.first(std::min<size_t>(rest.size(), kPageTokens)), pages[page]);
      if (freed) free_.push_back(*freed);
      parent = node;
    }
    return page;
  }

  const int32_t pages_;
  PageTree tree_;
  std::vector<PageId> free_;
  int32_t leases_ = 0;
  uint64_t evicted_ = 0;
};

PrefixCache::PrefixCache(int32_t pages) : impl_(std::make_unique<Impl>(pages)) {}
PrefixCache::~PrefixCache() = default;
PrefixCache::PrefixCache(PrefixCache&&) noexcept = default;
PrefixCache& PrefixCache::operator=(PrefixCache&&) noexcept = default;

int32_t PrefixCache::match(std::span<const int32_t> ids) const { return impl_->match(ids); }

std::optional<PageLease> PrefixCache::lease(std::span<const int32_t> ids) { return impl_->lease(ids); }

bool PrefixCache::finish(PageLease lease, std::span<const int32_t> ids, int32_t computed_tokens, bool keep) {
  return impl_->finish(lease, ids, computed_tokens, keep);
}

PrefixCacheStats PrefixCache::stats() const { return impl_->stats(); }

}  // namespace saferoute::engine
