// Where the int8 layers of a guard come from: the file of converted weights where it is good, else the checkpoint, and
// then the file is written for the next load.
#pragma once

#include <cstdint>
#include <future>
#include <memory>
#include <optional>

#include "engine/backend.h"
#include "model/int8_weights.h"
#include "model/tensor_table.h"
#include "model/weight_cache.h"

namespace saferoute::ort {

// Lives during a load, on its thread. `table` and `spec` must outlive it.
class Int8Layers {
 public:
  Int8Layers(const model::TensorTable& table, const model::ModelSpec& spec,
             std::optional<model::WeightCachePlan> cache);

  // Layers in order, each once. Throws what model::load_layer does; never for a fault of the cache.
  model::Int8LayerWeights load(int32_t layer);

  // After the last layer: what became of the cache.
  engine::WeightCacheOutcome finish();

 private:
  void read_ahead(int32_t layer);
  std::optional<model::Int8LayerWeights> read(int32_t layer);
  void start_writing(int32_t layer);
  void write(int32_t layer, const model::Int8LayerWeights& weights);
  void give_up(const std::string& why);

  const model::TensorTable& table_;
  const model::ModelSpec& spec_;
  const std::optional<model::WeightCachePlan> cache_;
  std::unique_ptr<model::WeightCacheReader> reader_;  // while the file is good
  std::future<model::Int8LayerWeights> ahead_;        // reads the next layer out of it while the last one is packed
  std::unique_ptr<model::WeightCacheWriter> writer_;  // while the file is being written
  std::string warning_;                               // why it is not
};

}  // namespace saferoute::ort
