#include "ort/batches.h"

#include <numeric>
#include <random>

namespace saferoute::test {
namespace {

size_t pages_of(size_t tokens) {
  constexpr auto kTokens = static_cast<size_t>(engine::kPageTokens);
  return (tokens + kTokens - 1) / kTokens;
}

}  // namespace

std::vector<int32_t> random_prompt(size_t length, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int32_t> id(0, 66);
  std::vector<int32_t> prompt(length);
  for (int32_t& token : prompt) token = id(random);
  return prompt;
}

engine::Batch batch_of(const std::vector<std::vector<int32_t>>& prompts, bool want_features,
                       engine::PageId first_page) {
  engine::Batch batch{.tokens = {},
                      .row_offsets = {0},
                      .row_starts = {},
                      .pages = {},
                      .page_offsets = {0},
                      .copies = {},
                      .want_features = want_features};
  for (const std::vector<int32_t>& prompt : prompts) {
    batch.tokens.insert(batch.tokens.end(), prompt.begin(), prompt.end());
    batch.row_offsets.push_back(static_cast<int32_t>(batch.tokens.size()));
    batch.row_starts.push_back(0);
    for (size_t page = 0; page < pages_of(prompt.size()); ++page) {
      batch.pages.push_back(first_page + static_cast<engine::PageId>(batch.pages.size()));
    }
    batch.page_offsets.push_back(static_cast<int32_t>(batch.pages.size()));
  }
  return batch;
}

engine::Batch part_of(const std::vector<int32_t>& prompt, size_t begin, size_t end,
                      const std::vector<engine::PageId>& pages) {
  const auto at = [](const auto& values, size_t index) { return values.begin() + static_cast<long>(index); };
  const size_t filled = pages_of(end);
  return {.tokens = {at(prompt, begin), at(prompt, end)},
          .row_offsets = {0, static_cast<int32_t>(end - begin)},
          .row_starts = {static_cast<int32_t>(begin)},
          .pages = {pages.begin(), at(pages, filled)},
          .page_offsets = {0, static_cast<int32_t>(filled)},
          .copies = {},
          .want_features = true};
}

std::vector<engine::PageId> pages_from(engine::PageId first, size_t count) {
  std::vector<engine::PageId> pages(count);
  std::iota(pages.begin(), pages.end(), first);
  return pages;
}

}  // namespace saferoute::test
