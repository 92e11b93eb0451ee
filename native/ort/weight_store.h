// Weights on their way into a session: ONNX Runtime reads them where they are and says when it needs them no longer.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "ort/anonymous_memory.h"
#include "ort/api.h"
#include "ort/element_type.h"

namespace saferoute::ort {

// Must outlive every session and model that its tensors went into. Used only on the thread that loads and destroys
// them.
class WeightStore {
 public:
  explicit WeightStore(const Api& api);
  WeightStore(const WeightStore&) = delete;
  WeightStore& operator=(const WeightStore&) = delete;

  // A tensor over `data`, which is freed with the last reference to the tensor: for a weight that the session packs
  // into a form of its own that is as soon as it is packed, and so the weights never stand twice.
  template <typename T>
  Handle<OrtValue> adopt(std::vector<T> data, std::span<const int64_t> shape) {
    T* const address = data.data();
    const size_t bytes = data.size() * sizeof(T);
    return adopt(own(std::move(data)), address, bytes, shape, element_type(address));
  }

  // The same of a tensor of u8 (bytes).
  Handle<OrtValue> adopt(AnonymousMemory data);

  // Bytes of all that was ever adopted.
  uint64_t adopted_bytes() const { return adopted_bytes_; }

 private:
  struct Deleter : Allocator {
    WeightStore* store;
  };
  using Owner = std::unique_ptr<void, void (*)(void*)>;

  template <typename Buffer>
  static Owner own(Buffer buffer) {
    return {new Buffer(std::move(buffer)), [](void* owned) { delete static_cast<Buffer*>(owned); }};
  }
  Handle<OrtValue> adopt(Owner owner, void* address, size_t bytes, std::span<const int64_t> shape, ElementType type);

  Api api_;
  Handle<OrtMemoryInfo> cpu_;
  Deleter deleter_;
  std::unordered_map<void*, Owner> owned_;
  uint64_t adopted_bytes_ = 0;
};

}  // namespace saferoute::ort
