// Pages without a device: each remembers the tokens whose keys and values it would hold.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "engine/backend.h"

namespace saferoute::engine {

class PageMemory {
 public:
  static constexpr int32_t kNothing = -1;

  void copy(PageCopy copy) { pages_[copy.to] = page(copy.from); }

  // Computes `tokens`, of which the first stands at `start` of the prompt that has these pages.
  void compute(std::span<const PageId> pages, int32_t start, std::span<const int32_t> tokens) {
    for (size_t token = 0; token < tokens.size(); ++token) {
      const size_t position = static_cast<size_t>(start) + token;
      pages_.try_emplace(pages[position / kPageTokens], empty_page()).first->second[position % kPageTokens] =
          tokens[token];
    }
  }

  // The first `count` tokens of the prompt that has these pages.
  std::vector<int32_t> read(std::span<const PageId> pages, size_t count) const {
    std::vector<int32_t> tokens;
    for (size_t position = 0; position < count; ++position) {
      tokens.push_back(page(pages[position / kPageTokens])[position % kPageTokens]);
    }
    return tokens;
  }

  size_t count_from(PageId first) const {
    return static_cast<size_t>(
        std::count_if(pages_.begin(), pages_.end(), [first](const auto& entry) { return entry.first >= first; }));
  }

  // Forgets the pages from `first` on.
  void release_from(PageId first) {
    std::erase_if(pages_, [first](const auto& entry) { return entry.first >= first; });
  }

 private:
  using Page = std::array<int32_t, kPageTokens>;

  static Page empty_page() {
    Page page;
    page.fill(kNothing);
    return page;
  }

  Page page(PageId id) const {
    const auto found = pages_.find(id);
    return found == pages_.end() ? empty_page() : found->second;
  }

  std::unordered_map<PageId, Page> pages_;
};

}  // namespace saferoute::engine
