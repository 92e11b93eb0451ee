#include "model/weight_cache_layout.h"

#include <string>

#include "engine/error.h"

namespace saferoute::model {
namespace {

[[noreturn]] void fail(const WeightCachePlan& plan, const std::string& what) {
  throw Error(ErrorCode::kInvalidArgument, "the plan of the weight cache " + plan.path + ": " + what);
}

void check_entry(const WeightCachePlan& plan, const TensorEntry& entry, const std::string& name, DType dtype) {
  if (entry.name != name) fail(plan, "has '" + entry.name + "' in the place of '" + name + "'");
  uint64_t bytes = dtype_bytes(dtype);
  bool wrong = entry.dtype != dtype;
  for (const int64_t size : entry.shape) {
    wrong |= size < 0 || __builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes);
  }
  if (wrong || entry.bytes != bytes) fail(plan, "'" + name + "' has another type or size than its shape");
  if (entry.offset < plan.header.size() || entry.offset > plan.file_bytes ||
      entry.bytes > plan.file_bytes - entry.offset) {
    fail(plan, "'" + name + "' lies outside the file");
  }
}

}  // namespace

WeightCacheLayout::WeightCacheLayout(WeightCachePlan plan) : plan_(std::move(plan)) {
  if (plan_.entries.size() % kLayerTensors != 1) {
    fail(plan_, std::to_string(plan_.entries.size()) + " tensors are no whole number of layers and the checksums");
  }
  for (int32_t layer = 0; layer < layers(); ++layer) {
    size_t tensor = first_tensor(layer);
    for (const char* matrix : {"qkv", "output", "gate_up", "down"}) {
      const std::string name = "layers." + std::to_string(layer) + "." + matrix;
      check_entry(plan_, entry(tensor++), name + ".values", DType::kI8);
      check_entry(plan_, entry(tensor++), name + ".scales", DType::kF32);
    }
  }
  check_entry(plan_, checksums(), "checksums", DType::kI64);
  if (checksums().bytes != tensors() * sizeof(uint64_t)) {
    fail(plan_, "there are " + std::to_string(tensors()) + " tensors, not " +
                    std::to_string(checksums().bytes / sizeof(uint64_t)) + ", to be checked");
  }
}

size_t WeightCacheLayout::first_tensor(int32_t index) const {
  if (index < 0 || index >= layers()) {
    fail(plan_, "has no layer " + std::to_string(index) + ", it has " + std::to_string(layers()));
  }
  return static_cast<size_t>(index) * kLayerTensors;
}

}  // namespace saferoute::model
