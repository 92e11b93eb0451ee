#include "engine/rank_window.h"

#include <random>

namespace saferoute::engine {

RankWindow::RankWindow(int32_t size) : nodes_(static_cast<size_t>(size)) {
  std::mt19937_64 random;  // seeded alike everywhere: the tree's shape is no secret
  for (Node& node : nodes_) node.priority = random();
}

void RankWindow::push(double value) {
  const Slot slot = next_;
  next_ = (next_ + 1) % static_cast<Slot>(nodes_.size());
  if (count_ == static_cast<int32_t>(nodes_.size())) {
    root_ = erase(root_, slot);
  } else {
    count_ += 1;
  }
  Node& node = at(slot);
  node.value = value;
  node.smaller = node.larger = kNone;
  node.count = 1;
  root_ = insert(root_, slot);
}

template <bool kOrEqual>
int32_t RankWindow::count_where(double value) const {
  int32_t found = 0;
  for (Slot tree = root_; tree != kNone;) {
    const Node& node = at(tree);
    const bool counts = kOrEqual ? node.value >= value : node.value > value;
    if (counts) found += count_of(node.larger) + 1;
    tree = counts ? node.smaller : node.larger;
  }
  return found;
}

template int32_t RankWindow::count_where<false>(double value) const;
template int32_t RankWindow::count_where<true>(double value) const;

double RankWindow::largest(int32_t rank) const {
  Slot tree = root_;
  for (int32_t ahead = count_of(at(tree).larger); ahead != rank; ahead = count_of(at(tree).larger)) {
    if (rank < ahead) {
      tree = at(tree).larger;
    } else {
      rank -= ahead + 1;
      tree = at(tree).smaller;
    }
  }
  return at(tree).value;
}

bool RankWindow::goes_before(Slot a, Slot b) const {
  return at(a).value != at(b).value ? at(a).value < at(b).value : a < b;
}

void RankWindow::recount(Slot slot) { at(slot).count = count_of(at(slot).smaller) + count_of(at(slot).larger) + 1; }

RankWindow::Slot RankWindow::insert(Slot tree, Slot slot) {
  if (tree == kNone) return slot;
  if (at(slot).priority > at(tree).priority) {
    split(tree, slot, at(slot).smaller, at(slot).larger);
    recount(slot);
    return slot;
  }
  Slot& side = goes_before(slot, tree) ? at(tree).smaller : at(tree).larger;
  side = insert(side, slot);
  recount(tree);
  return tree;
}

RankWindow::Slot RankWindow::erase(Slot tree, Slot slot) {
  if (tree == slot) return merge(at(slot).smaller, at(slot).larger);
  Slot& side = goes_before(slot, tree) ? at(tree).smaller : at(tree).larger;
  side = erase(side, slot);
  recount(tree);
  return tree;
}

// Parts `tree` into what goes before `slot` and what goes after it.
void RankWindow::split(Slot tree, Slot slot, Slot& before, Slot& after) {
  if (tree == kNone) {
    before = after = kNone;
    return;
  }
  if (goes_before(tree, slot)) {
    before = tree;
    split(at(tree).larger, slot, at(tree).larger, after);
  } else {
    after = tree;
    split(at(tree).smaller, slot, before, at(tree).smaller);
  }
  recount(tree);
}

// All of `before` goes before all of `after`.
RankWindow::Slot RankWindow::merge(Slot before, Slot after) {
  if (before == kNone) return after;
  if (after == kNone) return before;
  if (at(before).priority > at(after).priority) {
    at(before).larger = merge(at(before).larger, after);
    recount(before);
    return before;
  }
  at(after).smaller = merge(before, at(after).smaller);
  recount(after);
  return after;
}

}  // namespace saferoute::engine
