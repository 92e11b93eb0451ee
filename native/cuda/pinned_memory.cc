#include "cuda/pinned_memory.h"

#include <string>

#include <cuda_runtime_api.h>

#include "cuda/check.h"
#include "cuda/plan_table.h"

namespace saferoute::cuda {

PinnedMemory::PinnedMemory(uint64_t bytes, const char* what) {
  if (bytes == 0) return;
  void* data = nullptr;
  check(cudaHostAlloc(&data, bytes, cudaHostAllocPortable),
        "pinning " + size_text(bytes) + " of host memory for " + what);
  data_ = static_cast<std::byte*>(data);
  bytes_ = bytes;
}

PinnedMemory::~PinnedMemory() {
  if (data_ != nullptr) cudaFreeHost(data_);
}

}  // namespace saferoute::cuda
