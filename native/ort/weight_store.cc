#include "ort/weight_store.h"

#include <utility>

namespace saferoute::ort {

WeightStore::WeightStore(const Api& api)
    : api_(api),
      cpu_(api.create<OrtMemoryInfo>(kCreateCpuMemoryInfo, AllocatorType::kDevice, MemoryType::kDefault)),
      deleter_{} {
  deleter_.version = kApiVersion;
  deleter_.store = this;
  deleter_.alloc = [](Allocator*, size_t) -> void* { return nullptr; };
  deleter_.reserve = deleter_.alloc;
  deleter_.info = [](const Allocator* self) -> const OrtMemoryInfo* {
    return static_cast<const Deleter*>(self)->store->cpu_.get();
  };
  deleter_.free = [](Allocator* self, void* data) { static_cast<Deleter*>(self)->store->owned_.erase(data); };
}

Handle<OrtValue> WeightStore::adopt(AnonymousMemory data) {
  std::byte* const address = data.data();
  const auto bytes = static_cast<int64_t>(data.bytes());
  return adopt(own(std::move(data)), address, static_cast<size_t>(bytes), {&bytes, 1}, ElementType::kUint8);
}

Handle<OrtValue> WeightStore::adopt(Owner owner, void* address, size_t bytes, std::span<const int64_t> shape,
                                    ElementType type) {
  owned_.emplace(address, std::move(owner));
  adopted_bytes_ += bytes;
  return api_.create<OrtValue>(kCreateTensorWithDataAndDeleterAsOrtValue, &deleter_, address, bytes, shape.data(),
                               shape.size(), type);
}

}  // namespace saferoute::ort
