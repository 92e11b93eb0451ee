// One training, epoch by epoch.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "train/network.h"
#include "train/row_sampler.h"
#include "train/training_state.h"

namespace saferoute::train {

// Refers to data and plan, which outlive it. Used by one thread.
class Training {
 public:
  Training(const TrainingData& data, const TrainingPlan& plan, Gemm& gemm, cpu::ParallelFor parallel_for);

  TrainedRouter run(const std::function<bool(const EpochReport&)>& on_epoch);

 private:
  // Rows of features and their targets, side by side.
  struct Batch {
    std::vector<float> features;  // (rows, width)
    std::vector<float> targets;   // (rows)
  };

  TrainingState state();
  bool finished() const;
  void gather(std::span<const int32_t> rows);
  double train_epoch();
  double train_step(std::span<const int32_t> rows);
  std::optional<double> judge();
  void keep(std::optional<double> auprc);
  void save_now_and_then();
  TrainedRouter trained();

  const TrainingData& data_;
  const TrainingPlan& plan_;
  Pass pass_;
  Network network_;
  std::vector<Parameter*> parameters_;
  RowSampler sampler_;
  int64_t epoch_steps_;
  bool judged_;                           // by the validation rows, after each epoch
  std::vector<std::vector<float>> kept_;  // values of all tensors at the best epoch; empty with Keep::kLast
  Progress progress_;
  TrainingState state_;
  std::chrono::steady_clock::time_point saved_;
  Batch batch_;
  std::vector<float> logit_gradients_;  // (rows of the batch)
};

}  // namespace saferoute::train
