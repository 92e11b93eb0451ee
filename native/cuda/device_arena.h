// All device memory of a load's guards: one reservation, made as planned, out of which every buffer is cut, so that no
// pass allocates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cuda/device_buffer.h"
#include "cuda/memory_plan.h"
#include "engine/backend.h"

namespace saferoute::cuda {

// Shared by a load's backends: the last that goes gives the memory back to the driver. Thread-safe. Whoever uses what
// was cut from it must be done with it on the device before that.
class DeviceArena {
 public:
  // Plans by what is free on `device` now, and reserves. Throws Error(kMemory) with the plan in its message where
  // nothing fits or the driver refuses what it said was free; the process can go on and load something smaller.
  static std::shared_ptr<DeviceArena> reserve(std::vector<GuardDemand> guards, const GpuLimit& limit, int32_t device);

  // The plan by what is free on `device` now, whether it fits or not; takes none of it.
  static MemoryPlan plan_now(std::vector<GuardDemand> guards, const GpuLimit& limit, int32_t device);

  ~DeviceArena();
  DeviceArena(const DeviceArena&) = delete;
  DeviceArena& operator=(const DeviceArena&) = delete;

  const MemoryPlan& plan() const { return plan_; }
  const GuardPlan& plan(size_t guard) const { return plan_.guards[guard]; }
  int32_t device() const { return device_; }

  // The next `bytes` of what the guard has for `purpose`, at a multiple of kDeviceAlignment. Throws Error(kMemory)
  // where that is used up: more was taken than planned.
  DeviceBuffer<std::byte> take(size_t guard, Purpose purpose, uint64_t bytes);

  // All of it that is left.
  DeviceBuffer<std::byte> take_rest(size_t guard, Purpose purpose);

  // What the guard's parts take, for stats: those of no bytes are left out.
  std::vector<engine::DeviceRegion> report(size_t guard) const;

 private:
  DeviceArena(MemoryPlan plan, std::shared_ptr<GpuLedger> ledger, int32_t device, std::byte* base);

  // With the ledger's lock held.
  static MemoryPlan plan_locked(std::vector<GuardDemand> guards, const GpuLimit& limit, int32_t device,
                                const GpuLedger& ledger);

  MemoryPlan plan_;
  std::shared_ptr<GpuLedger> ledger_;
  int32_t device_;
  std::byte* base_;  // (plan_.arena_bytes), on the device
  mutable std::mutex mutex_;
  std::vector<std::array<uint64_t, kPurposes>> taken_;  // bytes, (guards)
};

}  // namespace saferoute::cuda
