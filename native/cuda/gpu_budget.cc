#include "cuda/gpu_budget.h"

#include <algorithm>
#include <map>
#include <string>

#include "engine/error.h"

namespace saferoute::cuda {

GpuBudget gpu_budget(const DeviceMemory& device, const GpuLimit& limit, uint64_t promised_bytes) {
  if (limit.bytes > 0 && limit.fraction != 0) {
    throw Error(ErrorCode::kInvalidArgument, "memory on the device is limited in bytes and as a share at once");
  }
  if (!(limit.fraction >= 0 && limit.fraction <= 1)) {
    throw Error(ErrorCode::kInvalidArgument, "the share of the device's memory is " + std::to_string(limit.fraction) +
                                                 ", it must be over 0 and at most 1");
  }
  const double share = limit.fraction > 0 ? limit.fraction : kDefaultShare;
  const uint64_t most =
      limit.bytes > 0 ? limit.bytes : static_cast<uint64_t>(static_cast<double>(device.total_bytes) * share);
  const uint64_t owed = promised_bytes + kDriverBytes;
  const uint64_t there = device.free_bytes > owed ? device.free_bytes - owed : 0;
  return {.device = device, .limit = limit, .promised_bytes = promised_bytes, .bytes = std::min(most, there)};
}

std::shared_ptr<GpuLedger> GpuLedger::of_device(int32_t device) {
  static std::mutex mutex;
  static std::map<int32_t, std::weak_ptr<GpuLedger>> ledgers;
  const std::lock_guard lock(mutex);
  std::weak_ptr<GpuLedger>& known = ledgers[device];
  std::shared_ptr<GpuLedger> ledger = known.lock();
  if (ledger == nullptr) {
    ledger = std::make_shared<GpuLedger>();
    known = ledger;
  }
  return ledger;
}

}  // namespace saferoute::cuda
