// The tensors of one decoder layer in a checkpoint, and how they stand one above another in the matrices of the graph.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "model/model_spec.h"
#include "model/tensor_table.h"

namespace saferoute::model {

struct Projection {
  const char* name;  // without the layer's prefix and ".weight"
  int64_t outputs;
};

// A matrix (outputs, inputs) whose rows are those of its projections in turn.
struct StackedWeight {
  std::vector<Projection> projections;
  int64_t inputs = 0;

  int64_t outputs() const;
};

struct LayerMatrices {
  StackedWeight qkv;
  StackedWeight output;
  StackedWeight gate_up;
  StackedWeight down;
};

LayerMatrices layer_matrices(const ModelSpec& spec);

// Lives no longer than its table. Every reader checks the tensors' shapes, refuses what is not finite, and releases
// their pages in the mapping once they are read.
class LayerReader {
 public:
  LayerReader(const TensorTable& table, int32_t index);

  std::vector<float> vector(const std::string& name, int64_t size) const;
  std::vector<float> matrix(const StackedWeight& weight) const;  // (outputs, inputs)

  // The same in blocks of at most `block_rows` rows, from the first to the last: visit(first row, its elements).
  using VisitRows = std::function<void(int64_t first_row, std::span<const float> rows)>;
  void for_each_block(const StackedWeight& weight, int64_t block_rows, const VisitRows& visit) const;

  // A tensor that the graph would silently leave out makes every reading wrong.
  void refuse(const std::string& name) const;

 private:
  TensorView require(const Projection& projection, int64_t inputs) const;

  const TensorTable& table_;
  std::string prefix_;
};

}  // namespace saferoute::model
