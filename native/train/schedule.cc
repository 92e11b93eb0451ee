#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace saferoute::train {
namespace {

// transformers' get_linear_schedule_with_warmup.
double linear(const TrainingPlan& plan, int64_t step, int64_t steps) {
  const int64_t warmup = plan.warmup_steps;
  if (step < warmup) return plan.learning_rate * static_cast<double>(step) / static_cast<double>(warmup);
  const auto rest = static_cast<double>(std::max<int64_t>(0, steps - step));
  return plan.learning_rate * rest / static_cast<double>(std::max<int64_t>(1, steps - warmup));
}

// torch.optim.lr_scheduler.CosineAnnealingWarmRestarts, stepped after each epoch.
double cosine(const TrainingPlan& plan, int32_t epoch) {
  int64_t period = plan.first_period;
  int64_t place = epoch;
  if (plan.period_factor == 1) {
    place %= period;
  } else {
    for (; place >= period; period *= plan.period_factor) place -= period;
  }
  const double angle = std::numbers::pi * static_cast<double>(place) / static_cast<double>(period);
  return plan.floor_rate + (plan.learning_rate - plan.floor_rate) * (1 + std::cos(angle)) / 2;
}

}  // namespace

double learning_rate(const TrainingPlan& plan, int64_t step, int64_t steps, int32_t epoch) {
  return plan.schedule == ScheduleKind::kLinear ? linear(plan, step, steps) : cosine(plan, epoch);
}

}  // namespace saferoute::train
