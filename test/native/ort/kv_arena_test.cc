// The pages of keys and values as memory: how many there are, which exist, and what a batch sees of them.
#include "ort/kv_arena.h"

#include <algorithm>
#include <numeric>

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <gtest/gtest.h>

#include "ort/batches.h"
#include "ort/expect_error.h"
#include "ort/tiny_guard.h"

namespace saferoute::ort {
namespace {

using test::batch_of;
using test::expect_error;
using test::llama_spec;
using test::pages_from;
using test::part_of;
using test::random_prompt;

constexpr uint64_t kPageBytes = 3 * 2 * 2 * 16 * 12 * 4;  // of llama_spec

std::span<float> page_floats(const KvArena& arena, size_t index) {
  return {reinterpret_cast<float*>(arena.current().pages[index]), arena.page_bytes() / sizeof(float)};
}

TEST(KvArena, HasAsManyPagesAsTheBudgetHoldsAndAtLeastOne) {
  EXPECT_EQ(KvArena(llama_spec(), cpu::KvFormat::kF32, 10 * kPageBytes).pages(), 10);
  EXPECT_EQ(KvArena(llama_spec(), cpu::KvFormat::kF32, 11 * kPageBytes - 1).pages(), 10);
  EXPECT_EQ(KvArena(llama_spec(), cpu::KvFormat::kF32, 0).pages(), 1);
  EXPECT_EQ(KvArena(llama_spec(), cpu::KvFormat::kF32, 0).page_bytes(), kPageBytes);
}

// More than the machine has: only an arena that takes memory as it fills can be made.
TEST(KvArena, TakesMemoryOnlyAsItFills) {
  KvArena arena(llama_spec(), cpu::KvFormat::kF32, uint64_t{1} << 42);
  arena.bind(batch_of({random_prompt(40, 1)}, true, arena.pages() - 3));
  for (size_t page = 0; page < 3; ++page) page_floats(arena, page).back() = 7;
  EXPECT_EQ(page_floats(arena, 2).back(), 7);
}

#ifdef __linux__

// Bytes of [data, data + bytes) that are in memory, in whole pages of the system's.
uint64_t resident_bytes(std::byte* data, uint64_t bytes) {
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> flags((bytes + page - 1) / page);
  EXPECT_EQ(mincore(data, bytes, flags.data()), 0);
  return page * static_cast<uint64_t>(std::ranges::count_if(flags, [](unsigned char flag) { return (flag & 1) != 0; }));
}

TEST(KvArena, WarmsThePagesThatAPromptTakesFirst) {
  constexpr uint64_t kHugePage = 2 << 20;  // what the system may give instead of a few small ones
  KvArena arena(llama_spec(), cpu::KvFormat::kF32, 64 * kHugePage);
  arena.bind(batch_of({random_prompt(1, 1)}));
  std::byte* const first = arena.current().pages[0];
  const uint64_t all = static_cast<uint64_t>(arena.pages()) * kPageBytes;
  EXPECT_EQ(resident_bytes(first, all), 0u);
  arena.warm(1000 * engine::kPageTokens - 3);
  EXPECT_GE(resident_bytes(first, 1000 * kPageBytes), 1000 * kPageBytes);
  EXPECT_LE(resident_bytes(first, all), 1000 * kPageBytes + kHugePage);
}

#endif

TEST(KvArena, WarmsNoMoreThanTheBudget) {
  KvArena arena(llama_spec(), cpu::KvFormat::kF32, 3 * kPageBytes);
  arena.warm(int64_t{1} << 40);
  EXPECT_EQ(arena.pages(), 3);
}

TEST(KvArena, ShowsABatchItsPages) {
  KvArena arena(llama_spec(), cpu::KvFormat::kF32, 10 * kPageBytes);
  const engine::Batch batch = batch_of({random_prompt(17, 1), random_prompt(5, 2)}, true, 4);
  arena.bind(batch);
  const cpu::KvPages& seen = arena.current();
  EXPECT_EQ(seen.rows, 2);
  EXPECT_EQ(seen.row_offsets, batch.row_offsets.data());
  EXPECT_EQ(seen.row_starts, batch.row_starts.data());
  EXPECT_EQ(seen.page_offsets, batch.page_offsets.data());
  for (size_t page = 0; page < 3; ++page) std::ranges::fill(page_floats(arena, page), static_cast<float>(page));

  const engine::Batch other = part_of(random_prompt(48, 3), 47, 48, {6, 4, 5});
  arena.bind(other);
  for (size_t page = 0; page < 3; ++page) {
    EXPECT_EQ(page_floats(arena, page).front(), static_cast<float>((page + 2) % 3));
    EXPECT_EQ(page_floats(arena, page).back(), static_cast<float>((page + 2) % 3));
  }
}

TEST(KvArena, CopiesWholePagesBeforeThePass) {
  KvArena arena(llama_spec(), cpu::KvFormat::kF32, 4 * kPageBytes);
  arena.bind(batch_of({random_prompt(3, 1)}, true, 1));
  std::iota(page_floats(arena, 0).begin(), page_floats(arena, 0).end(), 1.0f);
  const std::vector<float> source(page_floats(arena, 0).begin(), page_floats(arena, 0).end());
  engine::Batch batch = batch_of({random_prompt(3, 1)}, true, 3);
  batch.copies = {{.from = 1, .to = 3}};
  arena.bind(batch);
  EXPECT_TRUE(std::ranges::equal(page_floats(arena, 0), source));
}

TEST(KvArena, MakesPagesBeyondTheBudgetUntilTheyAreReleased) {
  KvArena arena(llama_spec(), cpu::KvFormat::kF32, 2 * kPageBytes);
  const std::vector<int32_t> prompt = random_prompt(60, 1);
  const engine::Batch first = part_of(prompt, 0, 40, pages_from(0, 3));
  EXPECT_EQ(arena.missing_bytes(first), kPageBytes);
  arena.bind(first);
  EXPECT_EQ(arena.missing_bytes(first), 0u);
  EXPECT_EQ(arena.overflow_bytes(), kPageBytes);
  page_floats(arena, 2).back() = 5;

  const engine::Batch second = part_of(prompt, 40, 60, pages_from(0, 4));
  EXPECT_EQ(arena.missing_bytes(second), kPageBytes);
  arena.bind(second);
  EXPECT_EQ(page_floats(arena, 2).back(), 5);
  EXPECT_EQ(arena.overflow_bytes(), 2 * kPageBytes);

  arena.release_overflow();
  EXPECT_EQ(arena.overflow_bytes(), 0u);
  EXPECT_EQ(arena.missing_bytes(second), 2 * kPageBytes);
}

TEST(KvArena, RefusesToCopyAPageThatDoesNotExist) {
  KvArena arena(llama_spec(), cpu::KvFormat::kF32, 2 * kPageBytes);
  engine::Batch batch = batch_of({random_prompt(3, 1)});
  batch.copies = {{.from = 2, .to = 0}};
  expect_error(ErrorCode::kInvalidArgument, {"page 2"}, [&] { arena.bind(batch); });
}

}  // namespace
}  // namespace saferoute::ort
