#include "ort/anonymous_memory.h"

#include <string>

#include <sys/mman.h>

#include "engine/error.h"
#include "ort/memory_budget.h"  // readable_bytes

namespace saferoute::ort {

AnonymousMemory::AnonymousMemory(uint64_t bytes) : bytes_(bytes) {
  void* const data = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) {
    throw Error(ErrorCode::kMemory, "the system refuses " + readable_bytes(bytes) + " of address space");
  }
#ifdef MADV_HUGEPAGE
  madvise(data, bytes, MADV_HUGEPAGE);
#endif
  data_ = static_cast<std::byte*>(data);
}

AnonymousMemory::~AnonymousMemory() {
  if (data_ != nullptr) munmap(data_, bytes_);
}

}  // namespace saferoute::ort
