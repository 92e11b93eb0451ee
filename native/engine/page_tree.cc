#include "engine/page_tree.h"

#include <algorithm>

namespace saferoute::engine {
namespace {

int32_t common_prefix(std::span<const int32_t> a, std::span<const int32_t> b) {
  const size_t length = std::min(a.size(), b.size());
  return static_cast<int32_t>(std::mismatch(a.begin(), a.begin() + length, b.begin()).first - a.begin());
}

bool starts_with(std::span<const int32_t> ids, std::span<const int32_t> beginning) {
  return common_prefix(ids, beginning) == static_cast<int32_t>(beginning.size());
}

}  // namespace

PageTree::PageTree(int32_t pages) : nodes_(static_cast<size_t>(pages)) {}

std::vector<PageId>::const_iterator PageTree::lower_bound(const Node& parent, std::span<const int32_t> tokens) const {
  return std::lower_bound(parent.children.begin(), parent.children.end(), tokens,
                          [this](PageId child, std::span<const int32_t> sought) {
                            const std::span<const int32_t> held = node(child).ids();
                            return std::lexicographical_compare(held.begin(), held.end(), sought.begin(), sought.end());
                          });
}

// Among children in order of their tokens, the one that shares most with `tokens` stands next to where they would.
std::pair<PageId, int32_t> PageTree::closest_child(const Node& parent, std::span<const int32_t> tokens) const {
  std::pair<PageId, int32_t> closest{kRoot, 0};
  const auto after = lower_bound(parent, tokens);
  const auto consider = [&](PageId child) {
    const int32_t shared = common_prefix(node(child).ids(), tokens);
    if (shared > closest.second) closest = {child, shared};
  };
  if (after != parent.children.end()) consider(*after);
  if (after != parent.children.begin()) consider(*(after - 1));
  return closest;
}

PageTree::Match PageTree::match(std::span<const int32_t> ids) const {
  Match match;
  PageId parent = kRoot;
  while (!ids.empty()) {
    const auto [child, shared] = closest_child(node(parent), ids.first(std::min<size_t>(ids.size(), kPageTokens)));
    match.tokens += shared;
    if (shared < kPageTokens) {
      if (shared > 0) match.partial = child;
      return match;
    }
    match.full.push_back(child);
    parent = child;
    ids = ids.subspan(kPageTokens);
  }
  return match;
}

PageTree::Insertion PageTree::insert(PageId parent_page, std::span<const int32_t> tokens, PageId page) {
  Node& parent = node(parent_page);
  const auto at = lower_bound(parent, tokens);
  if (at != parent.children.end() && starts_with(node(*at).ids(), tokens)) {
    touch(*at);
    return {.node = *at, .freed = page};
  }
  // The pages of a conversation that grows: the one before held the beginning of what this one holds.
  std::optional<PageId> superseded;
  if (at != parent.children.begin()) {
    const Node& before = node(*(at - 1));
    if (before.pins == 0 && starts_with(tokens, before.ids())) superseded = *(at - 1);
  }
  Node& inserted = node(page);
  inserted.parent = parent_page;
  std::copy(tokens.begin(), tokens.end(), inserted.tokens.begin());
  inserted.token_count = static_cast<int32_t>(tokens.size());
  if (parent.is_evictable() && parent_page != kRoot) evictable_.erase({parent.last_used, parent_page});
  parent.children.insert(at, page);
  nodes_in_tree_ += 1;
  touch(page);
  if (superseded) remove(*superseded);
  return {.node = page, .freed = superseded};
}

void PageTree::pin(PageId page) {
  Node& pinned = node(page);
  if (pinned.is_evictable()) evictable_.erase({pinned.last_used, page});
  if (pinned.pins == 0) pinned_ += 1;
  pinned.pins += 1;
}

void PageTree::unpin(PageId page) {
  Node& unpinned = node(page);
  unpinned.pins -= 1;
  if (unpinned.pins == 0) pinned_ -= 1;
  touch(page);
}

PageId PageTree::evict() {
  const PageId page = evictable_.begin()->second;
  remove(page);
  return page;
}

void PageTree::touch(PageId page) {
  Node& touched = node(page);
  evictable_.erase({touched.last_used, page});
  touched.last_used = ++uses_;
  if (touched.is_evictable()) evictable_.insert({touched.last_used, page});
}

void PageTree::remove(PageId leaf) {
  const Node& removed = node(leaf);
  evictable_.erase({removed.last_used, leaf});
  Node& parent = node(removed.parent);
  parent.children.erase(lower_bound(parent, removed.ids()));
  if (removed.parent != kRoot && parent.is_evictable()) evictable_.insert({parent.last_used, removed.parent});
  nodes_in_tree_ -= 1;
}

}  // namespace saferoute::engine
