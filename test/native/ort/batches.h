// Prompts made up on the spot, and the batches that an engine would cut of them.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/backend.h"

namespace saferoute::test {

// `length` ids in the vocabulary of tiny_guard's specs.
std::vector<int32_t> random_prompt(size_t length, uint32_t seed);

// Whole prompts, in pages of their own from `first_page` on.
engine::Batch batch_of(const std::vector<std::vector<int32_t>>& prompts, bool want_features = true,
                       engine::PageId first_page = 0);

// Tokens [begin, end) of one prompt, whose tokens from 0 on lie in `pages`.
engine::Batch part_of(const std::vector<int32_t>& prompt, size_t begin, size_t end,
                      const std::vector<engine::PageId>& pages);

// `count` ids from `first` on.
std::vector<engine::PageId> pages_from(engine::PageId first, size_t count);

}  // namespace saferoute::test
