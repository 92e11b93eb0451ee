// The last so many numbers, and where a number would rank among them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace saferoute::engine {

// A treap (Seidel and Aragon 1996) over the slots of a ring, ordered by value and slot, so that every call is O(log
// size) in the mean. Allocates nothing after the constructor. Numbers are finite.
class RankWindow {
 public:
  // `size` numbers, at least 1.
  explicit RankWindow(int32_t size);

  // Forgets the oldest number once there are `size`.
  void push(double value);

  int32_t count() const { return count_; }
  int32_t above(double value) const { return count_where<false>(value); }
  int32_t equal(double value) const { return count_where<true>(value) - count_where<false>(value); }
  // The number that `rank` others are ahead of; 0 is the largest. `rank` < count().
  double largest(int32_t rank) const;

 private:
  using Slot = int32_t;
  static constexpr Slot kNone = -1;

  struct Node {
    double value = 0;
    uint64_t priority = 0;  // above that of its children
    Slot smaller = kNone;
    Slot larger = kNone;
    int32_t count = 1;  // of the subtree
  };

  template <bool kOrEqual>
  int32_t count_where(double value) const;

  Node& at(Slot slot) { return nodes_[static_cast<size_t>(slot)]; }
  const Node& at(Slot slot) const { return nodes_[static_cast<size_t>(slot)]; }
  int32_t count_of(Slot slot) const { return slot == kNone ? 0 : at(slot).count; }
  bool goes_before(Slot a, Slot b) const;
  void recount(Slot slot);
  Slot insert(Slot tree, Slot slot);
  Slot erase(Slot tree, Slot slot);
  void split(Slot tree, Slot slot, Slot& before, Slot& after);
  Slot merge(Slot before, Slot after);

  std::vector<Node> nodes_;  // (size)
  Slot root_ = kNone;
  Slot next_ = 0;
  int32_t count_ = 0;
};

}  // namespace saferoute::engine
