// Where both guards go, on devices from far too small to far too large.
#include "cuda/memory_plan.h"

#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/guard_shapes.h"
#include "cuda/plan_table.h"
#include "ort/expect_error.h"

namespace saferoute::cuda {
namespace {

using test::expect_error;

constexpr uint64_t kMiB = 1ull << 20;
constexpr uint64_t kGiB = 1ull << 30;

MemoryRequest request(uint64_t budget_bytes, uint64_t host_bytes = 64 * kGiB) {
  MemoryRequest request;
  request.guards = {llama_guard_1b(), llama_guard_8b()};
  request.budget = {.device = {.total_bytes = budget_bytes, .free_bytes = budget_bytes},
                    .limit = {.bytes = budget_bytes, .fraction = 0},
                    .promised_bytes = 0,
                    .bytes = budget_bytes};
  request.host_bytes = host_bytes;
  return request;
}

MemoryPlan plan_for(uint64_t budget_bytes) { return plan_memory(request(budget_bytes)); }

// Every byte of the reservation belongs to one region.
void expect_well_placed(const MemoryPlan& plan) {
  uint64_t end = 0;
  for (const GuardPlan& guard : plan.guards) {
    for (const Region& region : guard.regions) {
      EXPECT_EQ(region.offset, end);
      EXPECT_EQ(region.offset % kDeviceAlignment, 0u);
      end += region.bytes;
    }
    const int32_t standing = guard.demand.spec.layers - guard.streamed_layers;
    EXPECT_EQ(guard.region(Purpose::kLayers).bytes, static_cast<uint64_t>(standing) * guard.layer.bytes);
    EXPECT_EQ(guard.region(Purpose::kSlots).bytes, static_cast<uint64_t>(guard.stream_slots) * guard.layer.bytes);
    EXPECT_GE(guard.region(Purpose::kKvPages).bytes, static_cast<uint64_t>(guard.kv_pages) * guard.page_bytes);
    EXPECT_GE(guard.kv_pages, 1);
  }
  EXPECT_EQ(plan.arena_bytes, end);
}

TEST(MemoryPlan, PutsBothGuardsOnALargeDeviceWithPagesForTheLongestPrompts) {
  const MemoryPlan plan = plan_for(72 * kGiB);
  EXPECT_TRUE(plan.fits());
  EXPECT_EQ(plan.notice, "");
  EXPECT_EQ(plan.pinned_bytes(), 0u);
  for (const GuardPlan& guard : plan.guards) {
    EXPECT_EQ(guard.streamed_layers, 0);
    EXPECT_EQ(guard.longest_prompt(), 131072);
  }
  // 1.5 and 8 billion parameters, less the lm_head's 128256 rows.
  EXPECT_NEAR(static_cast<double>(plan.guards[0].region(Purpose::kLayers).bytes), 16 * 121.64e6, 1e7);
  EXPECT_NEAR(static_cast<double>(plan.guards[1].region(Purpose::kLayers).bytes), 32 * 436.2e6, 2e7);
  EXPECT_EQ(plan.guards[1].region(Purpose::kEmbedding).bytes, 128256ull * 4096 * 2);
  EXPECT_EQ(plan.guards[0].page_bytes, 512ull * 1024);
  EXPECT_EQ(plan.guards[1].page_bytes, 2 * kMiB);
}

TEST(MemoryPlan, LeavesHalfOfWhatNobodyAskedForToLoadsToCome) {
  MemoryRequest modest = request(30 * kGiB);
  const MemoryPlan plan = plan_memory(modest);
  ASSERT_TRUE(plan.fits());
  EXPECT_EQ(plan.notice, "");
  for (const GuardPlan& guard : plan.guards) {
    EXPECT_GE(static_cast<uint64_t>(guard.kv_pages) * guard.page_bytes, guard.demand.kv_bytes);
  }
  EXPECT_GT(plan.guards[1].longest_prompt(), 2048) << "more than was asked";
  EXPECT_LT(plan.guards[1].longest_prompt(), 131072);
  const uint64_t asked = plan.device_bytes() - (static_cast<uint64_t>(plan.guards[0].kv_pages) * 512 * 1024 +
                                                static_cast<uint64_t>(plan.guards[1].kv_pages) * 2 * kMiB - 512 * kMiB);
  const uint64_t left = plan.budget.bytes - plan.device_bytes();
  EXPECT_NEAR(static_cast<double>(left), static_cast<double>(plan.budget.bytes - asked) / 2, 8.0 * kMiB);
}

TEST(MemoryPlan, GivesUpKeysAndValuesBeforeItStreamsWeights) {
  uint64_t tight = 0;
  for (uint64_t budget = 24 * kGiB; budget > 12 * kGiB; budget -= 16 * kMiB) {
    const MemoryPlan plan = plan_memory([&] {
      MemoryRequest wanting = request(budget);
      for (GuardDemand& guard : wanting.guards) {
        guard.kv_bytes = 2 * kGiB;
        guard.batch_rows = 16;
      }
      return wanting;
    }());
    if (plan.guards[1].embedding_on_host) break;
    tight = budget;
    expect_well_placed(plan);
    if (plan.notice.empty()) continue;
    EXPECT_NE(plan.notice.find("keys and values of the large guard get"), std::string::npos) << plan.notice;
    EXPECT_NE(plan.notice.find("of the 2.0 GiB asked for"), std::string::npos) << plan.notice;
  }
  EXPECT_GT(tight, 16 * kGiB);
  EXPECT_LT(tight, 20 * kGiB);
}

TEST(MemoryPlan, StreamsOnlyTheLargeGuardAndAsFewLayersAsItCan) {
  const MemoryPlan plan = plan_for(12 * kGiB);
  ASSERT_TRUE(plan.fits()) << plan_table(plan);
  expect_well_placed(plan);
  EXPECT_EQ(plan.guards[0].streamed_layers, 0);
  EXPECT_FALSE(plan.guards[0].embedding_on_host);
  const GuardPlan& large = plan.guards[1];
  EXPECT_GT(large.streamed_layers, 2);
  EXPECT_LT(large.streamed_layers, 32);
  EXPECT_EQ(large.stream_slots, 2);
  EXPECT_TRUE(large.embedding_on_host);
  EXPECT_EQ(plan.pinned_bytes(),
            static_cast<uint64_t>(large.streamed_layers) * large.layer.bytes + 128256ull * 4096 * 2);
  EXPECT_NE(plan.notice.find(std::to_string(large.streamed_layers) + " of the 32 layers of the large guard"),
            std::string::npos)
      << plan.notice;
  EXPECT_LT(plan.budget.bytes - plan.device_bytes(), large.layer.bytes + 600 * kMiB) << "room for another layer";
}

// A device that grows never makes anything worse.
TEST(MemoryPlan, MoreMemoryNeverStreamsMoreOrHoldsLess) {
  bool fitted = false;
  int32_t streamed = 33;
  int64_t prompt = 0;
  for (uint64_t budget = 0; budget <= 60 * kGiB; budget += 101 * kMiB) {
    SCOPED_TRACE(budget);
    const MemoryPlan plan = plan_for(budget);
    expect_well_placed(plan);
    if (!plan.fits()) {
      EXPECT_FALSE(fitted);
      EXPECT_NE(plan.notice, "");
      continue;
    }
    fitted = true;
    EXPECT_LE(plan.device_bytes(), budget);
    EXPECT_LE(plan.guards[1].streamed_layers, streamed);
    if (plan.guards[1].streamed_layers == 0 && !plan.guards[1].embedding_on_host) {
      EXPECT_GE(plan.guards[1].longest_prompt(), prompt);
      prompt = plan.guards[1].longest_prompt();
    }
    streamed = plan.guards[1].streamed_layers;
  }
  EXPECT_TRUE(fitted);
  EXPECT_EQ(streamed, 0);
}

TEST(MemoryPlan, SaysWithItsTableWhyNothingFits) {
  const MemoryPlan plan = plan_for(2 * kGiB);
  EXPECT_FALSE(plan.fits());
  expect_error(ErrorCode::kMemory,
               {"of the device's memory are needed", "the budget is 2.0 GiB", "keys and values", "fits        no"},
               [&] { require_fits(plan); });
  require_fits(plan_for(72 * kGiB));
}

TEST(MemoryPlan, DoesNotPinMoreOfTheHostThanThereIs) {
  const MemoryPlan plan = plan_memory(request(12 * kGiB, kGiB));
  EXPECT_FALSE(plan.fits());
  expect_error(ErrorCode::kMemory, {"host memory would have to be pinned", "1.0 GiB are available"},
               [&] { require_fits(plan); });
}

TEST(MemoryPlan, AGuardAloneIsStreamedTooWhereItMustBe) {
  MemoryRequest alone = request(8 * kGiB);
  alone.guards.erase(alone.guards.begin());
  const MemoryPlan plan = plan_memory(alone);
  EXPECT_TRUE(plan.fits());
  EXPECT_GT(plan.guards[0].streamed_layers, 0);
  EXPECT_EQ(plan.graph_bytes, kGraphBytes);
}

TEST(MemoryPlan, InFp8TheLayersTakeHalf) {
  MemoryRequest half = request(72 * kGiB);
  for (GuardDemand& guard : half.guards) guard.precision = Precision::kFp8;
  const MemoryPlan fp8 = plan_memory(half);
  const MemoryPlan bf16 = plan_for(72 * kGiB);
  for (size_t i = 0; i < 2; ++i) {
    const double ratio = static_cast<double>(fp8.guards[i].region(Purpose::kLayers).bytes) /
                         static_cast<double>(bf16.guards[i].region(Purpose::kLayers).bytes);
    EXPECT_NEAR(ratio, 0.5, 0.002);
  }
}

TEST(MemoryPlan, AlwaysHasAPageHoweverFewBytesAreAskedFor) {
  MemoryRequest little = request(72 * kGiB);
  for (GuardDemand& guard : little.guards) {
    guard.kv_bytes = 1;
    guard.spec.max_positions = 10;
  }
  for (const GuardPlan& guard : plan_memory(little).guards) {
    EXPECT_EQ(guard.kv_pages, 1);
    EXPECT_EQ(guard.longest_prompt(), 10);
  }
}

TEST(MemoryPlan, RefusesNoGuardAndMoreThanTwo) {
  MemoryRequest wrong = request(kGiB);
  wrong.guards.push_back(llama_guard_1b());
  expect_error(ErrorCode::kInvalidArgument, {"not 3"}, [&] { static_cast<void>(plan_memory(wrong)); });
  wrong.guards.clear();
  expect_error(ErrorCode::kInvalidArgument, {"not 0"}, [&] { static_cast<void>(plan_memory(wrong)); });
}

TEST(PlanTable, HasALineToEachPartAndTheTotals) {
  const MemoryPlan plan = plan_for(12 * kGiB);
  const std::string table = plan_table(plan);
  for (const char* part :
       {"device      12.0 GiB, 12.0 GiB free", "budget      12.0 GiB (limited to 12.0 GiB)", "small  layers",
        "16 layers of 116.0 MiB in bf16", "large  stream slots", "layers of host memory pass", "small  embedding",
        "large  host memory", "pinned, not on the device", "small  graphs", "up to 1024 tokens in 256 rows",
        "fits        yes, but "}) {
    EXPECT_NE(table.find(part), std::string::npos) << "'" << part << "' in\n" << table;
  }
  EXPECT_EQ(table.find("large  embedding"), std::string::npos) << table;
}

TEST(PlanTable, WritesSizesInTheLargestUnitThatFits) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1536), "1.5 KiB");
  EXPECT_EQ(size_text(32 * kMiB), "32.0 MiB");
  EXPECT_EQ(size_text(3 * kGiB / 2), "1.5 GiB");
}

}  // namespace
}  // namespace saferoute::cuda
