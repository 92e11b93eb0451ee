#include "train/training.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"
#include "train/adamw.h"
#include "train/average_precision.h"
#include "train/loss.h"
#include "train/schedule.h"
#include "train/training_checks.h"

namespace saferoute::train {
namespace {

// Training goes on from the state file; this much of it is lost where the process is killed.
constexpr std::chrono::seconds kSaveEvery{10};

// PyTorch's data loader keeps an incomplete last batch, and so do we; but one row has no variance for batch
// normalisation, and is left out.
int64_t steps_per_epoch(const TrainingData& data, const TrainingPlan& plan) {
  const int64_t rows = std::ssize(data.train_rows);
  const bool lone_row = plan.network == NetworkKind::kCard && rows % plan.batch_rows == 1;
  return (rows + plan.batch_rows - 1) / plan.batch_rows - (lone_row ? 1 : 0);
}

}  // namespace

Training::Training(const TrainingData& data, const TrainingPlan& plan, Gemm& gemm, cpu::ParallelFor parallel_for)
    : data_(data),
      plan_(plan),
      pass_{.gemm = gemm, .parallel_for = parallel_for, .kernels = cpu::best_kernels()},
      network_(Network::published(plan, data.width)),
      parameters_(network_.parameters()),
      sampler_(data, plan),
      epoch_steps_(steps_per_epoch(data, plan)),
      judged_(has_both_classes(data, data.valid_rows)),
      state_(state()),
      saved_(std::chrono::steady_clock::now()) {}

TrainingState Training::state() {
  std::vector<std::span<float>> buffers;
  for (NamedTensor* tensor : network_.tensors()) {
    buffers.push_back(tensor->values);
    if (plan_.keep == Keep::kBestAuprc) kept_.push_back(tensor->values);
  }
  for (Parameter* parameter : parameters_) {
    buffers.push_back(parameter->mean);
    buffers.push_back(parameter->square);
  }
  buffers.insert(buffers.end(), kept_.begin(), kept_.end());
  const uint64_t fingerprint = plan_.state_path.empty() ? 0 : training_fingerprint(data_, plan_);
  return TrainingState(plan_.state_path, fingerprint, std::move(buffers));
}

bool Training::finished() const {
  const bool stale = plan_.keep == Keep::kBestAuprc && progress_.epochs - progress_.kept_epoch >= plan_.patience;
  return progress_.epochs >= plan_.epochs || stale;
}

TrainedRouter Training::run(const std::function<bool(const EpochReport&)>& on_epoch) {
  bool resumed = state_.load(progress_);
  while (!finished()) {
    EpochReport report;
    report.resumed = std::exchange(resumed, false);
    report.loss = train_epoch();
    report.epoch = static_cast<int32_t>(progress_.epochs);
    report.steps = progress_.steps;
    report.learning_rate = learning_rate(plan_, progress_.steps - 1, plan_.epochs * epoch_steps_, report.epoch - 1);
    report.valid_auprc = judge();
    keep(report.valid_auprc);
    save_now_and_then();
    if (!on_epoch(report)) {
      state_.save(progress_);
      throw Error(ErrorCode::kAborted, "training was stopped after epoch " + std::to_string(report.epoch));
    }
  }
  state_.save(progress_);
  return trained();
}

void Training::gather(std::span<const int32_t> rows) {
  const int64_t width = data_.width;
  batch_.features.resize(rows.size() * static_cast<size_t>(width));
  batch_.targets.resize(rows.size());
  cpu::for_ranges(pass_.parallel_for, std::ssize(rows), cpu::grain_of(width), [&](int64_t i, int64_t last) {
    for (; i < last; ++i) {
      const int64_t row = rows[static_cast<size_t>(i)];
      const auto from = data_.features.begin() + row * width;
      std::copy(from, from + width, batch_.features.begin() + i * width);
      batch_.targets[static_cast<size_t>(i)] = data_.targets[static_cast<size_t>(row)];
    }
  });
}

// Returns the mean loss of its steps.
double Training::train_epoch() {
  const std::span<const int32_t> rows = sampler_.draw(static_cast<int32_t>(progress_.epochs));
  double total = 0;
  for (int64_t step = 0; step < epoch_steps_; ++step) {
    const auto first = static_cast<size_t>(step * plan_.batch_rows);
    const double loss = train_step(rows.subspan(first, std::min<size_t>(plan_.batch_rows, rows.size() - first)));
    if (!std::isfinite(loss)) {
      throw Error(ErrorCode::kNotFinite, "the loss became " + std::to_string(loss) + " in epoch " +
                                             std::to_string(progress_.epochs + 1) + ", step " +
                                             std::to_string(progress_.steps + 1));
    }
    total += loss;
    ++progress_.steps;
  }
  ++progress_.epochs;
  return total / static_cast<double>(epoch_steps_);
}

double Training::train_step(std::span<const int32_t> rows) {
  gather(rows);
  const auto count = static_cast<int32_t>(rows.size());
  pass_.training = true;
  pass_.step = static_cast<uint32_t>(progress_.steps);
  const std::span<const float> logits = network_.forward(batch_.features.data(), count, pass_);
  logit_gradients_.resize(rows.size());
  double loss = loss_and_gradient(plan_, logits, batch_.targets, logit_gradients_);
  loss += network_.backward(batch_.features.data(), logit_gradients_, count, pass_);
  const double rate =
      learning_rate(plan_, progress_.steps, plan_.epochs * epoch_steps_, static_cast<int32_t>(progress_.epochs));
  adamw_step(parameters_, progress_.steps + 1, {rate, plan_.weight_decay, plan_.gradient_clip}, pass_);
  return loss;
}

// The average precision on the validation rows; nothing where they hold but one class.
std::optional<double> Training::judge() {
  if (!judged_) return std::nullopt;
  pass_.training = false;
  const std::span<const int32_t> rows = data_.valid_rows;
  std::vector<uint8_t> hard;
  std::vector<float> scores;
  for (size_t first = 0; first < rows.size(); first += static_cast<size_t>(plan_.batch_rows)) {
    const auto some = rows.subspan(first, std::min<size_t>(plan_.batch_rows, rows.size() - first));
    gather(some);
    const auto logits = network_.forward(batch_.features.data(), static_cast<int32_t>(some.size()), pass_);
    for (size_t i = 0; i < some.size(); ++i) {
      if (!std::isfinite(logits[i])) {
        throw Error(ErrorCode::kNotFinite, "the network's answer for row " + std::to_string(some[i]) + " became " +
                                               std::to_string(logits[i]) + " in epoch " +
                                               std::to_string(progress_.epochs));
      }
      scores.push_back(logits[i]);
      hard.push_back(batch_.targets[i] > 0.5f);
    }
  }
  return average_precision(hard, scores);
}

void Training::keep(std::optional<double> auprc) {
  if (plan_.keep == Keep::kBestAuprc && *auprc <= progress_.kept_auprc) return;
  progress_.kept_epoch = progress_.epochs;
  progress_.kept_auprc = auprc.value_or(progress_.kept_auprc);
  if (plan_.keep == Keep::kLast) return;
  const auto tensors = network_.tensors();
  for (size_t t = 0; t < tensors.size(); ++t) {
    std::copy(tensors[t]->values.begin(), tensors[t]->values.end(), kept_[t].begin());
  }
}

void Training::save_now_and_then() {
  const auto now = std::chrono::steady_clock::now();
  if (now - saved_ < kSaveEvery) return;
  state_.save(progress_);
  saved_ = now;
}

TrainedRouter Training::trained() {
  TrainedRouter router;
  router.epochs = static_cast<int32_t>(progress_.epochs);
  router.kept_epoch = static_cast<int32_t>(progress_.kept_epoch);
  router.kept_steps = progress_.kept_epoch * epoch_steps_;
  if (judged_) router.valid_auprc = progress_.kept_auprc;
  const auto tensors = network_.tensors();
  for (size_t t = 0; t < tensors.size(); ++t) {
    router.tensors.push_back(std::move(*tensors[t]));
    if (plan_.keep == Keep::kBestAuprc) router.tensors.back().values = std::move(kept_[t]);
  }
  return router;
}

}  // namespace saferoute::train
