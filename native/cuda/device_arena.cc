#include "cuda/device_arena.h"

#include <algorithm>
#include <utility>

#include <cuda_runtime_api.h>

#include "cuda/check.h"
#include "cuda/plan_table.h"
#include "engine/error.h"
#include "model/weights.h"

namespace saferoute::cuda {
namespace {

// Of the host's memory a part stays pageable, for everything else that the process does.
constexpr uint64_t kPinnableShare = 4;  // quarters; three may be pinned

uint64_t pinnable_bytes() { return model::available_memory_bytes() / kPinnableShare * (kPinnableShare - 1); }

DeviceMemory memory_of(int32_t device) {
  check(cudaSetDevice(device), "choosing the device");
  size_t free = 0;
  size_t total = 0;
  check(cudaMemGetInfo(&free, &total), "asking for the device's free memory");
  return {.total_bytes = total, .free_bytes = free};
}

}  // namespace

MemoryPlan DeviceArena::plan_now(std::vector<GuardDemand> guards, const GpuLimit& limit, int32_t device) {
  const std::shared_ptr<GpuLedger> ledger = GpuLedger::of_device(device);
  const auto lock = ledger->lock();
  return plan_locked(std::move(guards), limit, device, *ledger);
}

MemoryPlan DeviceArena::plan_locked(std::vector<GuardDemand> guards, const GpuLimit& limit, int32_t device,
                                    const GpuLedger& ledger) {
  return plan_memory({.guards = std::move(guards),
                      .budget = gpu_budget(memory_of(device), limit, ledger.promised_bytes()),
                      .host_bytes = pinnable_bytes()});
}

std::shared_ptr<DeviceArena> DeviceArena::reserve(std::vector<GuardDemand> guards, const GpuLimit& limit,
                                                  int32_t device) {
  std::shared_ptr<GpuLedger> ledger = GpuLedger::of_device(device);
  const auto lock = ledger->lock();
  MemoryPlan plan = plan_locked(std::move(guards), limit, device, *ledger);
  require_fits(plan);
  void* base = nullptr;
  if (cudaMalloc(&base, plan.arena_bytes) != cudaSuccess) {
    cudaGetLastError();  // takes the status away, so that a smaller load finds none
    throw Error(ErrorCode::kMemory, "the driver refused " + size_text(plan.arena_bytes) + " of the " +
                                        size_text(plan.budget.device.free_bytes) +
                                        " that it said were free: another process may have taken them\n" +
                                        plan_table(plan));
  }
  return std::shared_ptr<DeviceArena>(new DeviceArena(std::move(plan), ledger, device, static_cast<std::byte*>(base)));
}

DeviceArena::DeviceArena(MemoryPlan plan, std::shared_ptr<GpuLedger> ledger, int32_t device, std::byte* base)
    : plan_(std::move(plan)),
      ledger_(std::move(ledger)),
      device_(device),
      base_(base),
      taken_(plan_.guards.size(), std::array<uint64_t, kPurposes>{}) {
  ledger_->promise(plan_.graph_bytes);
}

// The last reference may go on a thread that has used another device, or none.
DeviceArena::~DeviceArena() {
  const auto lock = ledger_->lock();
  ledger_->fulfil(plan_.graph_bytes);
  cudaSetDevice(device_);
  cudaFree(base_);
}

DeviceBuffer<std::byte> DeviceArena::take(size_t guard, Purpose purpose, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  const Region& region = plan_.guards[guard].region(purpose);
  uint64_t& taken = taken_[guard][static_cast<size_t>(purpose)];
  if (bytes > region.bytes - taken) {
    throw Error(ErrorCode::kMemory, "the " + plan_.guards[guard].demand.name + " guard takes " + size_text(bytes) +
                                        " for its " + purpose_name(purpose) + ", of which " +
                                        size_text(region.bytes - taken) + " of " + size_text(region.bytes) +
                                        " are left");
  }
  const DeviceBuffer<std::byte> buffer{.data = base_ + region.offset + taken, .size = static_cast<int64_t>(bytes)};
  taken += std::min(aligned(bytes), region.bytes - taken);
  return buffer;
}

DeviceBuffer<std::byte> DeviceArena::take_rest(size_t guard, Purpose purpose) {
  uint64_t left = 0;
  {
    const std::lock_guard lock(mutex_);
    left = plan_.guards[guard].region(purpose).bytes - taken_[guard][static_cast<size_t>(purpose)];
  }
  return take(guard, purpose, left);
}

std::vector<engine::DeviceRegion> DeviceArena::report(size_t guard) const {
  const std::lock_guard lock(mutex_);
  std::vector<engine::DeviceRegion> regions;
  for (size_t i = 0; i < kPurposes; ++i) {
    const uint64_t bytes = plan_.guards[guard].regions[i].bytes;
    if (bytes == 0) continue;
    regions.push_back(
        {.purpose = purpose_name(static_cast<Purpose>(i)), .bytes = bytes, .used_bytes = taken_[guard][i]});
  }
  return regions;
}

}  // namespace saferoute::cuda
