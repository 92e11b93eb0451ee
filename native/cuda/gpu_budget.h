// How much of a device one load may take: the limit that its owner sets, and what other loads of the process are owed.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

namespace saferoute::cuda {

struct DeviceMemory {
  uint64_t total_bytes = 0;
  uint64_t free_bytes = 0;  // now
};

// What the caller allows: bytes, or a share of the device's memory; kDefaultShare where neither is said.
struct GpuLimit {
  uint64_t bytes = 0;
  double fraction = 0;  // of total_bytes; over 0, at most 1
};

inline constexpr double kDefaultShare = 0.9;

// Left alone under any limit: what the driver takes later, such as for kernels that it loads when they are first
// called.
inline constexpr uint64_t kDriverBytes = 256ull << 20;

struct GpuBudget {
  DeviceMemory device;
  GpuLimit limit;
  uint64_t promised_bytes = 0;  // to other loads of this process
  uint64_t bytes = 0;           // that this load may take
};

// A limit is the most that a load takes; where less is free, that is its budget. Throws Error(kInvalidArgument) for a
// share outside (0, 1], or bytes and a share at once.
GpuBudget gpu_budget(const DeviceMemory& device, const GpuLimit& limit, uint64_t promised_bytes);

// Device memory that loads of this process will still take: their graphs are made while they run. Thread-safe.
class GpuLedger {
 public:
  // Of `device`, made where no load refers to one.
  static std::shared_ptr<GpuLedger> of_device(int32_t device);

  // Held from the question of what is free to the reservation, so that two loads never count the same bytes.
  [[nodiscard]] std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }

  // These under the lock.
  uint64_t promised_bytes() const { return promised_bytes_; }
  void promise(uint64_t bytes) { promised_bytes_ += bytes; }
  void fulfil(uint64_t bytes) { promised_bytes_ -= bytes; }

 private:
  std::mutex mutex_;
  uint64_t promised_bytes_ = 0;
};

}  // namespace saferoute::cuda
