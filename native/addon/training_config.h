// From what lib/native.ts declares of training and routing to what the rooms below take.
#pragma once

#include <cstdint>
#include <vector>

#include <napi.h>

#include "model/feature_matrix.h"
#include "train/trainer.h"

namespace saferoute::addon {

// A `NativeTrainingData` with copies of its arrays; the features are still to be mapped.
struct TrainingSource {
  model::FeatureRange features;
  std::vector<float> targets;  // (rows)
  std::vector<int32_t> train_rows;
  std::vector<int32_t> valid_rows;
};

// Throw a TypeError naming the first member that is missing or of the wrong type.
TrainingSource read_training_source(Napi::Value value);
train::TrainingPlan read_training_plan(Napi::Value value);
model::FeatureRange read_feature_range(Napi::Value value);

Napi::Array to_js_reports(Napi::Env env, const std::vector<train::EpochReport>& reports);
Napi::Object to_js_trained(Napi::Env env, const train::TrainedRouter& trained);

}  // namespace saferoute::addon
