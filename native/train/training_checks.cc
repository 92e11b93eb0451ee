#include "train/training_checks.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "cpu/kernels.h"
#include "engine/error.h"
#include "router/network.h"  // kMaxInputs

namespace saferoute::train {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error(ErrorCode::kInvalidArgument, what); }

// `value` must lie in [least, most]; NaN lies nowhere.
template <typename T>
void check_range(const char* name, T value, T least, T most = std::numeric_limits<T>::max()) {
  if (value >= least && value <= most) return;
  std::string limits = "at least " + std::to_string(least);
  if (most != std::numeric_limits<T>::max()) limits += " and at most " + std::to_string(most);
  refuse(std::string(name) + " is " + std::to_string(value) + ", but must be " + limits);
}

void check_positive(const char* name, double value) {
  if (!(value > 0) || std::isinf(value)) {
    refuse(std::string(name) + " is " + std::to_string(value) + ", but must be a finite number above 0");
  }
}

void check_rows(const char* name, const TrainingData& data, std::span<const int32_t> rows) {
  for (const int32_t row : rows) {
    if (row < 0 || static_cast<size_t>(row) >= data.targets.size()) {
      refuse(std::string(name) + " names row " + std::to_string(row) + " of " + std::to_string(data.targets.size()));
    }
    const float target = data.targets[static_cast<size_t>(row)];
    if (!(target >= 0 && target <= 1)) {
      refuse("the target of row " + std::to_string(row) + " is " + std::to_string(target) +
             ", but must be between 0 and 1");
    }
  }
}

void check_shape(const TrainingData& data) {
  check_range<int32_t>("the features' width", data.width, 1, router::kMaxInputs);
  if (data.features.size() != data.targets.size() * static_cast<size_t>(data.width)) {
    refuse(std::to_string(data.features.size()) + " features are not " + std::to_string(data.targets.size()) +
           " rows of " + std::to_string(data.width));
  }
}

void check_finite(const TrainingData& data, std::span<const int32_t> rows, cpu::ParallelFor parallel_for) {
  const cpu::Kernels& kernels = cpu::best_kernels();
  constexpr int32_t kNone = std::numeric_limits<int32_t>::max();
  std::atomic<int32_t> worst = kNone;  // the lowest row that is not finite
  cpu::for_ranges(parallel_for, std::ssize(rows), cpu::grain_of(data.width), [&](int64_t i, int64_t last) {
    for (; i < last; ++i) {
      const int32_t row = rows[static_cast<size_t>(i)];
      if (!std::isnan(kernels.magnitude(data.features.data() + int64_t{row} * data.width, data.width))) continue;
      int32_t lowest = worst;
      while (row < lowest && !worst.compare_exchange_weak(lowest, row)) {
      }
    }
  });
  if (worst == kNone) return;
  throw Error(ErrorCode::kNotFinite, "row " + std::to_string(worst) + " has a feature that is NaN or infinite");
}

std::string classes(std::span<const int32_t> rows) {
  return "none of " + std::to_string(rows.size()) + " rows, or all of them, have a target above 0.5";
}

}  // namespace

bool has_both_classes(const TrainingData& data, std::span<const int32_t> rows) {
  const auto hard = std::count_if(rows.begin(), rows.end(),
                                  [&](int32_t row) { return data.targets[static_cast<size_t>(row)] > 0.5f; });
  return hard > 0 && hard < std::ssize(rows);
}

void check_plan(const TrainingPlan& plan) {
  check_range("focal alpha", plan.focal_alpha, 0.0, 1.0);
  check_range("focal gamma", plan.focal_gamma, 0.0);
  check_range("the KL weight", plan.kl_weight, 0.0);
  check_positive("the prior's sigma", plan.prior_sigma);
  check_range("the number of rows in a batch", plan.batch_rows, 1, 1 << 20);
  check_range("the number of epochs", plan.epochs, 1);
  check_positive("the learning rate", plan.learning_rate);
  check_range("the weight decay", plan.weight_decay, 0.0);
  if (plan.gradient_clip) check_positive("the gradient clip", *plan.gradient_clip);
  check_range("the number of warm-up steps", plan.warmup_steps, 0);
  check_range("the first period", plan.first_period, 1);
  check_range("the period factor", plan.period_factor, 1);
  check_range("the lowest learning rate", plan.floor_rate, 0.0);
  check_range("the patience", plan.patience, 1);
  if (plan.network == NetworkKind::kCard && plan.batch_rows == 1) {
    refuse("batch normalisation cannot train on batches of 1 row; it needs 2 at least");
  }
}

void check_data(const TrainingData& data, const TrainingPlan& plan, cpu::ParallelFor parallel_for) {
  check_shape(data);
  if (data.train_rows.empty()) refuse("there are no rows to train on");
  check_rows("the training set", data, data.train_rows);
  check_rows("the validation set", data, data.valid_rows);
  if (!has_both_classes(data, data.train_rows)) {
    refuse("a router cannot be learnt from one class alone: in the training set " + classes(data.train_rows));
  }
  if (plan.keep == Keep::kBestAuprc && !has_both_classes(data, data.valid_rows)) {
    refuse("the best epoch cannot be told by one class alone: in the validation set " + classes(data.valid_rows));
  }
  check_finite(data, data.train_rows, parallel_for);
  check_finite(data, data.valid_rows, parallel_for);
}

}  // namespace saferoute::train
