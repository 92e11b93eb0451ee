// The learning rate over time.
#pragma once

#include <cstdint>

#include "train/trainer.h"

namespace saferoute::train {

// At step `step` of `steps`, which lies in epoch `epoch`; all from 0.
double learning_rate(const TrainingPlan& plan, int64_t step, int64_t steps, int32_t epoch);

}  // namespace saferoute::train
