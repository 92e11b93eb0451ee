#include "train/trainer.h"

#include "train/training.h"
#include "train/training_checks.h"

namespace saferoute::train {

TrainedRouter train_router(const TrainingData& data, const TrainingPlan& plan, Gemm& gemm,
                           cpu::ParallelFor parallel_for, const std::function<bool(const EpochReport&)>& on_epoch) {
  check_plan(plan);
  check_data(data, plan, parallel_for);
  return Training(data, plan, gemm, parallel_for).run(on_epoch);
}

}  // namespace saferoute::train
