// What is refused before training begins.
#pragma once

#include "cpu/parallel_for.h"
#include "train/trainer.h"

namespace saferoute::train {

// Throws Error(kInvalidArgument) naming the value and its limit.
void check_plan(const TrainingPlan& plan);

// Throws Error(kInvalidArgument) for data that `plan` cannot be trained on, Error(kNotFinite) for a feature that is not
// finite.
void check_data(const TrainingData& data, const TrainingPlan& plan, cpu::ParallelFor parallel_for);

// Whether among `rows` there are hard ones and others.
bool has_both_classes(const TrainingData& data, std::span<const int32_t> rows);

}  // namespace saferoute::train
