// What a load may take of a device, and what loads of one process are owed.
#include "cuda/gpu_budget.h"

#include <limits>
#include <memory>

#include <gtest/gtest.h>

#include "ort/expect_error.h"

namespace saferoute::cuda {
namespace {

using test::expect_error;

constexpr uint64_t kGiB = 1ull << 30;

TEST(GpuBudget, IsNineTenthsOfTheDeviceWhereNothingIsSaid) {
  EXPECT_EQ(gpu_budget({.total_bytes = 100 * kGiB, .free_bytes = 99 * kGiB}, {}, 0).bytes, 90 * kGiB);
}

TEST(GpuBudget, IsTheShareOrTheBytesThatWereSaid) {
  const DeviceMemory device{.total_bytes = 64 * kGiB, .free_bytes = 63 * kGiB};
  EXPECT_EQ(gpu_budget(device, {.bytes = 0, .fraction = 0.25}, 0).bytes, 16 * kGiB);
  EXPECT_EQ(gpu_budget(device, {.bytes = 5 * kGiB, .fraction = 0}, 0).bytes, 5 * kGiB);
}

TEST(GpuBudget, NeverTakesWhatIsNotFreeOrIsOwedToOthersOrToTheDriver) {
  const DeviceMemory device{.total_bytes = 64 * kGiB, .free_bytes = 10 * kGiB};
  EXPECT_EQ(gpu_budget(device, {}, 0).bytes, 10 * kGiB - kDriverBytes);
  EXPECT_EQ(gpu_budget(device, {.bytes = 20 * kGiB, .fraction = 0}, 3 * kGiB).bytes, 7 * kGiB - kDriverBytes);
  EXPECT_EQ(gpu_budget(device, {}, 12 * kGiB).bytes, 0u);
}

TEST(GpuBudget, OfTwoLoadsThatEachMayTakeHalfTheSecondGetsAsMuchAsTheFirst) {
  const DeviceMemory before{.total_bytes = 64 * kGiB, .free_bytes = 64 * kGiB};
  const uint64_t first = gpu_budget(before, {.bytes = 0, .fraction = 0.45}, 0).bytes;
  const DeviceMemory after{.total_bytes = 64 * kGiB, .free_bytes = 64 * kGiB - first};
  EXPECT_EQ(gpu_budget(after, {.bytes = 0, .fraction = 0.45}, 0).bytes, first);
}

TEST(GpuBudget, RefusesAShareOutsideOneDeviceAndTwoLimitsAtOnce) {
  const DeviceMemory device{.total_bytes = kGiB, .free_bytes = kGiB};
  for (const double fraction : {-0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    expect_error(ErrorCode::kInvalidArgument, {"share", "at most 1"},
                 [&] { static_cast<void>(gpu_budget(device, {.bytes = 0, .fraction = fraction}, 0)); });
  }
  expect_error(ErrorCode::kInvalidArgument, {"at once"},
               [&] { static_cast<void>(gpu_budget(device, {.bytes = 1, .fraction = 0.5}, 0)); });
}

TEST(GpuLedger, IsOneToADeviceAsLongAsALoadRefersToIt) {
  std::shared_ptr<GpuLedger> first = GpuLedger::of_device(0);
  {
    const auto lock = first->lock();
    first->promise(kGiB);
  }
  const std::shared_ptr<GpuLedger> second = GpuLedger::of_device(0);
  EXPECT_EQ(first, second);
  EXPECT_EQ(second->promised_bytes(), kGiB);
  EXPECT_EQ(GpuLedger::of_device(1)->promised_bytes(), 0u);
  first->fulfil(kGiB);
  EXPECT_EQ(second->promised_bytes(), 0u);
}

TEST(GpuLedger, OfADeviceThatNobodyUsesBeginsEmpty) {
  GpuLedger::of_device(0)->promise(kGiB);
  EXPECT_EQ(GpuLedger::of_device(0)->promised_bytes(), 0u);
}

}  // namespace
}  // namespace saferoute::cuda
