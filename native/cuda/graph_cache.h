// The graphs of one backend by shape.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>

#include "cuda/graph.h"

namespace saferoute::cuda {

// Used on its backend's thread. Of more than kMost graphs, the one that has not been used for longest goes.
template <typename Shape>
class GraphCache {
 public:
  static constexpr size_t kMost = 256;

  // Null where none was captured. Good until the next add().
  const Graph* find(const Shape& shape) {
    const auto entry = entries_.find(shape);
    if (entry == entries_.end()) return nullptr;
    entry->second.used = ++uses_;
    return &entry->second.graph;
  }

  // No replay of any graph may be under way.
  void add(const Shape& shape, Graph graph) {
    if (entries_.size() >= kMost) {
      const auto by_use = [](const auto& a, const auto& b) { return a.second.used < b.second.used; };
      entries_.erase(std::ranges::min_element(entries_, by_use));
    }
    entries_.emplace(shape, Entry{.graph = std::move(graph), .used = ++uses_});
  }

  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    Graph graph;
    uint64_t used = 0;
  };

  std::map<Shape, Entry> entries_;
  uint64_t uses_ = 0;
};

}  // namespace saferoute::cuda
