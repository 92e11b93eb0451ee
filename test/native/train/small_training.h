// A training of a few seconds: 48 rows of 12 features, and 24 to judge by.
#pragma once

#include <cstring>
#include <functional>
#include <numeric>
#include <vector>

#include "train/goldens.h"
#include "train/plain_gemm.h"
#include "train/trainer.h"
#include "train/worker_threads.h"

namespace saferoute::train::test {

struct SmallTraining {
  SmallTraining() {
    const Goldens goldens("trainings");
    features = goldens.floats("features");
    targets = goldens.floats("targets");
    train_rows.resize(48);
    std::iota(train_rows.begin(), train_rows.end(), 0);
    valid_rows.resize(24);
    std::iota(valid_rows.begin(), valid_rows.end(), 48);
  }

  TrainedRouter run(int32_t threads = 1) {
    WorkerThreads workers(threads);
    PlainGemm gemm;
    return train_router({features, 12, targets, train_rows, valid_rows}, plan, gemm, workers.parallel_for(),
                        [this](const EpochReport& report) {
                          reports.push_back(report);
                          return !stop_after || report.epoch < *stop_after;
                        });
  }

  std::vector<float> features;  // (72, 12)
  std::vector<float> targets;   // (72)
  std::vector<int32_t> train_rows;
  std::vector<int32_t> valid_rows;
  TrainingPlan plan{.batch_rows = 20, .epochs = 5, .learning_rate = 1e-3, .warmup_steps = 2};
  std::optional<int32_t> stop_after;  // epoch
  std::vector<EpochReport> reports;
};

// To the last bit.
inline bool equal(const TrainedRouter& a, const TrainedRouter& b) {
  if (a.tensors.size() != b.tensors.size() || a.epochs != b.epochs || a.kept_epoch != b.kept_epoch) return false;
  for (size_t t = 0; t < a.tensors.size(); ++t) {
    const std::vector<float>& left = a.tensors[t].values;
    const std::vector<float>& right = b.tensors[t].values;
    if (a.tensors[t].name != b.tensors[t].name || left.size() != right.size()) return false;
    if (std::memcmp(left.data(), right.data(), left.size() * sizeof(float)) != 0) return false;
  }
  return a.valid_auprc == b.valid_auprc;
}

}  // namespace saferoute::train::test
