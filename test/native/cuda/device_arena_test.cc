// The reservation on a real device: what it takes, that it gives all of it back, and that a refusal leaves the process
// usable.
#include "cuda/device_arena.h"

#include <memory>
#include <utility>
#include <vector>

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include "cuda/check.h"
#include "cuda/device_test.h"
#include "cuda/guard_shapes.h"
#include "ort/expect_error.h"

namespace saferoute::cuda {
namespace {

using test::expect_error;

constexpr uint64_t kMiB = 1ull << 20;
constexpr uint64_t kGiB = 1ull << 30;

uint64_t free_bytes() {
  size_t free = 0;
  size_t total = 0;
  check(cudaMemGetInfo(&free, &total), "free memory");
  return free;
}

// Two layers of the smallest published guard, with a short context.
GuardDemand small_demand() {
  GuardDemand demand = llama_guard_1b();
  demand.spec.layers = 2;
  demand.spec.vocab_size = 1000;
  demand.spec.max_positions = 2048;
  demand.kv_bytes = 16 * kMiB;
  return demand;
}

std::shared_ptr<DeviceArena> reserve(const GpuLimit& limit = {}) {
  return DeviceArena::reserve({small_demand()}, limit, 0);
}

class DeviceArenaTest : public DeviceTest {};

TEST_F(DeviceArenaTest, TakesWhatWasPlannedAndGivesItBack) {
  const uint64_t before = free_bytes();
  std::shared_ptr<DeviceArena> arena = reserve();
  const uint64_t planned = arena->plan().arena_bytes;
  EXPECT_LE(free_bytes(), before - planned);
  EXPECT_GE(free_bytes() + 64 * kMiB, before - planned) << "the driver rounds up, to pages of 2 MiB";
  arena.reset();
  EXPECT_EQ(free_bytes(), before);
}

TEST_F(DeviceArenaTest, AHundredRoundsLeaveFreeMemoryUnchanged) {
  reserve();
  const uint64_t before = free_bytes();
  for (int round = 0; round < 100; ++round) reserve();
  EXPECT_EQ(free_bytes(), before);
}

TEST_F(DeviceArenaTest, HandsOutEachByteOnceAndAligned) {
  const std::shared_ptr<DeviceArena> arena = reserve();
  std::vector<std::pair<const std::byte*, int64_t>> taken;
  for (size_t i = 0; i < kPurposes; ++i) {
    const auto purpose = static_cast<Purpose>(i);
    const uint64_t bytes = arena->plan(0).region(purpose).bytes;
    if (bytes == 0) continue;
    const DeviceBuffer<std::byte> first = arena->take(0, purpose, 100);
    const DeviceBuffer<std::byte> rest = arena->take_rest(0, purpose);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(rest.data) % kDeviceAlignment, 0u);
    EXPECT_EQ(rest.data - first.data, static_cast<int64_t>(aligned(100)));
    EXPECT_EQ(static_cast<uint64_t>(rest.size), bytes - aligned(100));
    check(cudaMemsetAsync(rest.data, 1, static_cast<size_t>(rest.size), stream_), "writing to the end");
    expect_error(ErrorCode::kMemory, {"small", purpose_name(purpose), "0 B of"},
                 [&] { static_cast<void>(arena->take(0, purpose, 1)); });
  }
  for (const engine::DeviceRegion& region : arena->report(0)) EXPECT_EQ(region.used_bytes, region.bytes);
}

TEST_F(DeviceArenaTest, RefusesWithItsPlanAndTheNextLoadStillWorks) {
  expect_error(ErrorCode::kMemory, {"the budget is 1.0 MiB", "keys and values", "fits        no"},
               [] { static_cast<void>(reserve({.bytes = kMiB, .fraction = 0})); });
  EXPECT_NE(reserve(), nullptr);
}

TEST_F(DeviceArenaTest, MemoryThatAnotherTookIsAnErrorThatLeavesTheProcessUsable) {
  const uint64_t before = free_bytes();
  const uint64_t taken = before - kDriverBytes - 64 * kMiB;
  void* hog = nullptr;
  check(cudaMalloc(&hog, taken), "taking nearly all memory");
  expect_error(ErrorCode::kMemory, {"budget", "keys and values"}, [] { static_cast<void>(reserve()); });
  check(cudaFree(hog), "giving it back");
  EXPECT_NE(reserve(), nullptr);
  EXPECT_EQ(free_bytes(), before);
}

TEST_F(DeviceArenaTest, TwoLoadsOfHalfTheDeviceEachGetTheSame) {
  const auto load = [] { return DeviceArena::reserve({small_demand()}, {.bytes = 2 * kGiB, .fraction = 0}, 0); };
  const std::shared_ptr<DeviceArena> first = load();
  const std::shared_ptr<DeviceArena> second = load();
  EXPECT_EQ(second->plan().arena_bytes, first->plan().arena_bytes);
  EXPECT_EQ(second->plan().budget.promised_bytes, first->plan().graph_bytes);
  EXPECT_EQ(DeviceArena::plan_now({small_demand()}, {}, 0).budget.promised_bytes, 2 * first->plan().graph_bytes);
}

}  // namespace
}  // namespace saferoute::cuda
