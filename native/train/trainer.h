// Trains a router: labelled features in, the tensors of one of the two published networks out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cpu/parallel_for.h"
#include "train/gemm.h"

namespace saferoute::train {

// Row-major features of all rows and what the router is to say of them; the caller keeps them alive.
struct TrainingData {
  std::span<const float> features;  // (rows, width)
  int32_t width = 0;
  std::span<const float> targets;       // (rows), 0 to 1: hardness wanted
  std::span<const int32_t> train_rows;  // numbers of rows
  std::span<const int32_t> valid_rows;  // may be empty unless Keep::kBestAuprc
};

enum class NetworkKind {
  kOfficial,  // Bayesian linear, LayerNorm, ReLU twice, Bayesian linear (SafeRoute, arXiv 2502.12464 section 3.2)
  kCard,      // linear, BatchNorm, GELU, dropout three times, linear (model card "SafeRoute Router Model")
};

enum class LossKind {
  kBce,    // binary cross-entropy with logits; targets between 0 and 1 are probabilities
  kFocal,  // Lin et al. 2017: alpha_t (1 - p_t)^gamma cross-entropy
};

enum class ScheduleKind {
  kLinear,  // warm-up over `warmup_steps`, then linear decay to 0 at the last step; set at every step
  kCosine,  // warm restarts (SGDR, Loshchilov & Hutter 2017): period of `first_period` epochs, `period_factor` times as
            // long after each restart, down to `floor_rate`; set at every epoch
};

enum class Keep {
  kLast,
  kBestAuprc,  // of the validation rows, whose target above a half counts as hard; stops after `patience` epochs
               // without a better one
};

struct TrainingPlan {
  NetworkKind network = NetworkKind::kOfficial;
  LossKind loss = LossKind::kBce;
  double focal_alpha = 0.75;
  double focal_gamma = 2;
  double kl_weight = 0.01;   // of the mean KL(posterior || prior) per weight; kOfficial
  double prior_sigma = 0.1;  // kOfficial
  bool balanced = true;      // rows drawn with replacement, each class of `target > 0.5` as often as the other
  int32_t batch_rows = 512;
  int32_t epochs = 1000;  // of train_rows.size() drawn rows each; kCard leaves out a last batch of a single row
  double learning_rate = 1e-3;
  double weight_decay = 0.01;             // decoupled (AdamW)
  std::optional<double> gradient_clip{};  // largest global L2 norm
  ScheduleKind schedule = ScheduleKind::kLinear;
  int32_t warmup_steps = 100;
  int32_t first_period = 50;
  int32_t period_factor = 2;
  double floor_rate = 1e-6;
  Keep keep = Keep::kLast;
  int32_t patience = 100;
  uint64_t seed = 0;
  std::string state_path{};  // where training stands, taken up again by the same data and plan; empty: nowhere. Written
                             // every ten seconds or so, when stopped and at the end; the caller removes it.
};

struct EpochReport {
  int32_t epoch = 0;  // done, from 1
  int64_t steps = 0;  // done
  double loss = 0;    // mean over the epoch's steps
  double learning_rate = 0;
  std::optional<double> valid_auprc;
  bool resumed = false;  // the first report after a state was taken up
};

struct NamedTensor {
  std::string name;  // as the reference implementation's state_dict has it
  std::vector<int64_t> shape;
  std::vector<float> values;
};

struct TrainedRouter {
  std::vector<NamedTensor> tensors;  // all that the reference layout has, training's own (log_sigma) included
  int32_t epochs = 0;                // that were run
  int32_t kept_epoch = 0;
  int64_t kept_steps = 0;             // of all epochs up to the kept one
  std::optional<double> valid_auprc;  // of the kept one
};

// Repeats exactly for the same data, plan and build, interrupted or not, whatever the number of threads.
// `on_epoch` returns false to stop, which throws Error(kAborted) and leaves the state file.
// Throws Error(kInvalidArgument) naming what cannot be trained on (one class only, no rows, a batch of one row for
// BatchNorm, the state file of another training), Error(kNotFinite) naming the row of a feature that is NaN or
// infinite, or the epoch where the loss became so, Error(kCheckpoint) for a damaged state file and Error(kBackend) for
// one that cannot be written.
TrainedRouter train_router(const TrainingData& data, const TrainingPlan& plan, Gemm& gemm,
                           cpu::ParallelFor parallel_for, const std::function<bool(const EpochReport&)>& on_epoch);

}  // namespace saferoute::train
