// The radix tree inside the prefix cache: which tokens stand in which page, after which tokens. A node is a page; a
// full page may have children, and a page that is not full is a leaf.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "engine/backend.h"

namespace saferoute::engine {

// Guarded as the cache is. A node is pinned while a prompt uses its page; whoever pins a node pins its ancestors too,
// so that every node without a pin can be evicted, leaves first.
class PageTree {
 public:
  static constexpr PageId kRoot = -1;  // the parent of every prompt's first page

  struct Match {
    std::vector<PageId> full;       // pages all of whose tokens the prompt begins with
    std::optional<PageId> partial;  // after them, a page some of whose tokens come next
    int32_t tokens = 0;             // in all of them
  };

  struct Insertion {
    PageId node;                  // that holds the tokens now: the page given, or one that held them before
    std::optional<PageId> freed;  // the page given, where another holds its tokens; or one whose tokens it holds too
  };

  // Takes ids from 0 to `pages` - 1.
  explicit PageTree(int32_t pages);

  // The longest beginning of `ids` that the tree holds.
  Match match(std::span<const int32_t> ids) const;

  // Puts `page` with its one to kPageTokens `tokens` below the full page `parent`.
  Insertion insert(PageId parent, std::span<const int32_t> tokens, PageId page);

  void pin(PageId page);
  void unpin(PageId page);

  // Removes the leaf without a pin that has been out of use for longest. There must be a node without a pin.
  PageId evict();

  int32_t unpinned() const { return nodes_in_tree_ - pinned_; }

 private:
  struct Node {
    PageId parent = kRoot;
    std::vector<PageId> children;               // in order of their tokens
    std::array<int32_t, kPageTokens> tokens{};  // the first token_count of them
    int32_t token_count = 0;
    int32_t pins = 0;
    uint64_t last_used = 0;  // unlike any other node's

    std::span<const int32_t> ids() const { return std::span(tokens).first(static_cast<size_t>(token_count)); }
    bool is_evictable() const { return pins == 0 && children.empty(); }
  };

  Node& node(PageId page) { return page == kRoot ? root_ : nodes_[static_cast<size_t>(page)]; }
  const Node& node(PageId page) const { return page == kRoot ? root_ : nodes_[static_cast<size_t>(page)]; }
  std::vector<PageId>::const_iterator lower_bound(const Node& parent, std::span<const int32_t> tokens) const;
  std::pair<PageId, int32_t> closest_child(const Node& parent, std::span<const int32_t> tokens) const;
  void touch(PageId page);
  void remove(PageId leaf);

  Node root_;
  std::vector<Node> nodes_;                          // by page
  std::set<std::pair<uint64_t, PageId>> evictable_;  // (last used, page)
  uint64_t uses_ = 0;
  int32_t nodes_in_tree_ = 0;
  int32_t pinned_ = 0;
};

}  // namespace saferoute::engine
