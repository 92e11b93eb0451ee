// Where in a weight cache the tensors of a layer lie, once the plan of the file has been held against itself.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "model/weight_cache.h"

namespace saferoute::model {

class WeightCacheLayout {
 public:
  // Throws Error(kInvalidArgument) for a plan that does not hold what its type says.
  explicit WeightCacheLayout(WeightCachePlan plan);

  const WeightCachePlan& plan() const { return plan_; }
  int32_t layers() const { return static_cast<int32_t>(tensors() / kLayerTensors); }
  size_t tensors() const { return plan_.entries.size() - 1; }  // that have a checksum

  // Calls `visit(tensor, values or scales)` for the eight tensors of layer `index`; `tensor` counts them from the first
  // of the plan. Throws Error(kInvalidArgument) for a layer that the plan has not.
  template <typename Layer, typename Visit>
  void for_each_tensor(int32_t index, Layer& layer, Visit visit) const {
    size_t tensor = first_tensor(index);
    for (auto* matrix : {&layer.qkv, &layer.output, &layer.gate_up, &layer.down}) {
      visit(tensor++, matrix->values);
      visit(tensor++, matrix->scales);
    }
  }

  const TensorEntry& entry(size_t tensor) const { return plan_.entries[tensor]; }
  const TensorEntry& checksums() const { return plan_.entries.back(); }

 private:
  static constexpr size_t kLayerTensors = 8;

  size_t first_tensor(int32_t index) const;

  WeightCachePlan plan_;
};

}  // namespace saferoute::model
