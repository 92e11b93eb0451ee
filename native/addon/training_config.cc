#include "addon/training_config.h"

#include <optional>
#include <string>

#include "addon/fields.h"
#include "addon/js_values.h"

namespace saferoute::addon {
namespace {

model::FeatureRange read_range(const Fields& fields) {
  return {
      .path = fields.string("path"),
      .offset = fields.uint64("offset"),
      .rows = fields.int32("rows"),
      .width = fields.int32("width"),
  };
}

Napi::Object to_js_tensor(Napi::Env env, const train::NamedTensor& tensor) {
  const auto to_size = [&](int64_t size) { return Napi::Number::New(env, static_cast<double>(size)); };
  const Napi::Object object = Napi::Object::New(env);
  object.Set("name", tensor.name);
  object.Set("shape", to_js_array(env, tensor.shape, to_size));
  object.Set("values", to_js_floats(env, tensor.values));
  return object;
}

Napi::Object to_js_report(Napi::Env env, const train::EpochReport& report) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("epoch", report.epoch);
  object.Set("steps", static_cast<double>(report.steps));
  object.Set("loss", report.loss);
  object.Set("learningRate", report.learning_rate);
  object.Set("validAuprc", to_js_number(env, report.valid_auprc));
  object.Set("resumed", report.resumed);
  return object;
}

}  // namespace

model::FeatureRange read_feature_range(Napi::Value value) { return read_range(Fields(value, "features")); }

TrainingSource read_training_source(Napi::Value value) {
  const Fields data(value, "data");
  return {
      .features = read_range(data.object("features")),
      .targets = data.float32_array("targets"),
      .train_rows = data.int32_array("trainRows"),
      .valid_rows = data.int32_array("validRows"),
  };
}

train::TrainingPlan read_training_plan(Napi::Value value) {
  using train::Keep, train::LossKind, train::NetworkKind, train::ScheduleKind;
  static constexpr Choices<NetworkKind, 2> kNetworks = {
      {{"official", NetworkKind::kOfficial}, {"card", NetworkKind::kCard}}};
  static constexpr Choices<LossKind, 2> kLosses = {{{"bce", LossKind::kBce}, {"focal", LossKind::kFocal}}};
  static constexpr Choices<ScheduleKind, 2> kSchedules = {
      {{"linear", ScheduleKind::kLinear}, {"cosine", ScheduleKind::kCosine}}};
  static constexpr Choices<Keep, 2> kKeeps = {{{"last", Keep::kLast}, {"bestAuprc", Keep::kBestAuprc}}};
  const Fields plan(value, "plan");
  std::optional<double> clip;
  if (!plan.is_null("gradientClip")) clip = plan.number("gradientClip");
  return {
      .network = plan.choice("network", kNetworks),
      .loss = plan.choice("loss", kLosses),
      .focal_alpha = plan.number("focalAlpha"),
      .focal_gamma = plan.number("focalGamma"),
      .kl_weight = plan.number("klWeight"),
      .prior_sigma = plan.number("priorSigma"),
      .balanced = plan.boolean("balanced"),
      .batch_rows = plan.int32("batchRows"),
      .epochs = plan.int32("epochs"),
      .learning_rate = plan.number("learningRate"),
      .weight_decay = plan.number("weightDecay"),
      .gradient_clip = clip,
      .schedule = plan.choice("schedule", kSchedules),
      .warmup_steps = plan.int32("warmupSteps"),
      .first_period = plan.int32("firstPeriod"),
      .period_factor = plan.int32("periodFactor"),
      .floor_rate = plan.number("floorRate"),
      .keep = plan.choice("keep", kKeeps),
      .patience = plan.int32("patience"),
      .seed = plan.uint64("seed"),
      .state_path = plan.is_null("statePath") ? std::string() : plan.string("statePath"),
  };
}

Napi::Array to_js_reports(Napi::Env env, const std::vector<train::EpochReport>& reports) {
  return to_js_array(env, reports, [&](const auto& report) { return to_js_report(env, report); });
}

Napi::Object to_js_trained(Napi::Env env, const train::TrainedRouter& trained) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("tensors", to_js_array(env, trained.tensors, [&](const auto& one) { return to_js_tensor(env, one); }));
  object.Set("epochs", trained.epochs);
  object.Set("keptEpoch", trained.kept_epoch);
  object.Set("keptSteps", static_cast<double>(trained.kept_steps));
  object.Set("validAuprc", to_js_number(env, trained.valid_auprc));
  return object;
}

}  // namespace saferoute::addon
