#include "train/schedule.h"

#include "train/goldens.h"

namespace saferoute::train {
namespace {

using test::expect_near;
using test::Goldens;

TEST(Schedule, LinearIsTransformers) {
  const Goldens goldens("schedules");
  TrainingPlan plan{.learning_rate = 0.25, .schedule = ScheduleKind::kLinear, .warmup_steps = 7};
  std::vector<double> rates, rates_without_warmup;
  for (int64_t step = 0; step < 30; ++step) rates.push_back(learning_rate(plan, step, 30, 0));
  expect_near(rates, goldens["linear"], 1e-9, "linear");
  plan.warmup_steps = 0;
  for (int64_t step = 0; step < 30; ++step) rates_without_warmup.push_back(learning_rate(plan, step, 30, 0));
  expect_near(rates_without_warmup, goldens["linear_without_warmup"], 1e-9, "linear without warm-up");
}

TEST(Schedule, WarmUpLongerThanTheTrainingNeverArrives) {
  const TrainingPlan plan{.learning_rate = 1, .schedule = ScheduleKind::kLinear, .warmup_steps = 100};
  EXPECT_DOUBLE_EQ(learning_rate(plan, 9, 10, 0), 0.09);
}

TEST(Schedule, CosineIsPyTorchs) {
  const Goldens goldens("schedules");
  TrainingPlan plan{.learning_rate = 0.25,
                    .schedule = ScheduleKind::kCosine,
                    .first_period = 3,
                    .period_factor = 2,
                    .floor_rate = 1e-3};
  std::vector<double> rates, rates_of_equal_periods;
  for (int32_t epoch = 0; epoch < 30; ++epoch) rates.push_back(learning_rate(plan, 0, 1, epoch));
  expect_near(rates, goldens["cosine"], 1e-9, "cosine");
  plan.first_period = 4;
  plan.period_factor = 1;
  for (int32_t epoch = 0; epoch < 30; ++epoch) rates_of_equal_periods.push_back(learning_rate(plan, 0, 1, epoch));
  expect_near(rates_of_equal_periods, goldens["cosine_of_equal_periods"], 1e-9, "cosine of equal periods");
}

}  // namespace
}  // namespace saferoute::train
