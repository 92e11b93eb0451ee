// Which rows an epoch trains on, and in what order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "train/random_stream.h"
#include "train/trainer.h"

namespace saferoute::train {

class RowSampler {
 public:
  // Keeps a copy of the row numbers. Both classes must be there.
  RowSampler(const TrainingData& data, const TrainingPlan& plan);

  // As many rows as there are to train on: balanced, drawn with replacement, each class as likely as the other; else
  // each once, shuffled. Valid until the next call.
  std::span<const int32_t> draw(int32_t epoch);

 private:
  bool balanced_;
  std::vector<int32_t> easy_;  // all rows, where it is not balanced
  std::vector<int32_t> hard_;
  RandomStream random_;
  std::vector<uint32_t> bits_;  // two for each drawn row
  std::vector<int32_t> drawn_;
};

}  // namespace saferoute::train
