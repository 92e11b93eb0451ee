#include "addon/training.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "addon/background_work.h"
#include "addon/engine_config.h"
#include "addon/fields.h"
#include "addon/js_values.h"
#include "addon/library_path.h"
#include "addon/training_config.h"
#include "cpu/guard_head.h"
#include "ort/gemm.h"
#include "ort/thread_pool.h"
#include "router/network.h"
#include "train/worker_threads.h"

namespace saferoute::addon {
namespace {

using Reports = std::vector<train::EpochReport>;

// Between a training's thread and that of its environment, which takes the reports and may ask for the end.
class TrainingTalk {
 public:
  void add(const train::EpochReport& report) {
    const std::lock_guard lock(mutex_);
    reports_.push_back(report);
  }

  Reports take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(reports_, {});
  }

  void ask_to_stop() { stop_asked_ = true; }
  bool stop_asked() const { return stop_asked_; }

 private:
  std::mutex mutex_;
  Reports reports_;
  std::atomic<bool> stop_asked_ = false;
};

// Ends a training between two products where its environment ends: an epoch may take many seconds.
class StoppableGemm : public train::Gemm {
 public:
  StoppableGemm(train::Gemm& gemm, std::stop_token stop) : gemm_(gemm), stop_(std::move(stop)) {}

  void multiply(const float* a, bool transpose_a, const float* b, bool transpose_b, float* c, int32_t m, int32_t n,
                int32_t k) override {
    if (stop_.stop_requested()) throw Error(ErrorCode::kAborted, "the training was stopped");
    gemm_.multiply(a, transpose_a, b, transpose_b, c, m, n, k);
  }

 private:
  train::Gemm& gemm_;
  std::stop_token stop_;
};

int32_t thread_count(int32_t wanted) { return wanted > 0 ? wanted : ort::usable_cores(); }

train::TrainedRouter run_training(const TrainingSource& source, const train::TrainingPlan& plan, int32_t thread_count,
                                  std::stop_token stop,
                                  const std::function<bool(const train::EpochReport&)>& on_epoch) {
  const model::FeatureMatrix features(source.features);
  train::WorkerThreads threads(thread_count);
  const auto gemm = ort::make_gemm(private_onnxruntime_path(), threads.parallel_for(), thread_count);
  StoppableGemm stoppable(*gemm, std::move(stop));
  const train::TrainingData data{.features = features.values(),
                                 .width = features.width(),
                                 .targets = source.targets,
                                 .train_rows = source.train_rows,
                                 .valid_rows = source.valid_rows};
  return train::train_router(data, plan, stoppable, threads.parallel_for(), on_epoch);
}

std::vector<float> run_router(const ort::RouterSource& source, const model::FeatureRange& range,
                              const std::stop_token& stop) {
  constexpr int64_t kRowsBetweenLooks = 4096;  // at the token
  const router::Network network = router::load_network(model::TensorTable(source.paths, source.entries), source.layers);
  if (network.input_size() != range.width) {
    throw Error(ErrorCode::kCheckpoint, source.paths.front() + ": the router reads " +
                                            std::to_string(network.input_size()) + " values, but the features of " +
                                            range.path + " are " + std::to_string(range.width) + " wide");
  }
  const model::FeatureMatrix features(range);
  train::WorkerThreads threads(ort::usable_cores());
  std::vector<float> hardness(static_cast<size_t>(range.rows));
  for (int64_t first = 0; first < range.rows; first += kRowsBetweenLooks) {
    if (stop.stop_requested()) throw Error(ErrorCode::kAborted, "reading the features was stopped");
    cpu::route(network, features.values().data() + first * range.width, hardness.data() + first,
               std::min(kRowsBetweenLooks, range.rows - first), threads.parallel_for());
  }
  for (size_t row = 0; row < hardness.size(); ++row) {
    if (std::isfinite(hardness[row])) continue;
    throw Error(ErrorCode::kNotFinite, range.path + ": the hardness of row " + std::to_string(row) +
                                           " is not finite; its feature holds NaN or values too large");
  }
  return hardness;
}

}  // namespace

StartedTraining start_training(const Napi::CallbackInfo& info, std::shared_ptr<LiveWorks> live) {
  TrainingSource source = read_training_source(info[0]);
  train::TrainingPlan plan = read_training_plan(info[1]);
  const int32_t threads = read_int32(info[2], "threads");
  if (!info[3].IsFunction()) throw type_error(info.Env(), "onEpochs", "a function");

  const auto talk = std::make_shared<TrainingTalk>();
  const auto on_epochs = std::make_shared<Napi::FunctionReference>(Napi::Persistent(info[3].As<Napi::Function>()));
  auto body = [talk, source = std::move(source), plan = std::move(plan), threads](
                  BackgroundWork& work, std::stop_token stop) -> BackgroundWork::ToValue {
    const auto on_epoch = [&](const train::EpochReport& report) {
      talk->add(report);
      work.notify();
      return !talk->stop_asked();
    };
    return [trained = run_training(source, plan, thread_count(threads), std::move(stop), on_epoch)](Napi::Env env) {
      return to_js_trained(env, trained);
    };
  };
  auto hand_out = [talk, on_epochs](Napi::Env env) {
    try {
      on_epochs->Call({to_js_reports(env, talk->take())});
    } catch (const Napi::Error& error) {
      report_uncaught(error);
    }
  };
  const auto work = BackgroundWork::start(info.Env(), std::move(live), std::move(body), std::move(hand_out));
  return {.done = work->promise(), .stop = [talk] { talk->ask_to_stop(); }};
}

Napi::Promise start_routing(const Napi::CallbackInfo& info, std::shared_ptr<LiveWorks> live) {
  auto body = [source = read_router_source(info[0]), range = read_feature_range(info[1])](
                  BackgroundWork&, std::stop_token stop) -> BackgroundWork::ToValue {
    return [hardness = run_router(source, range, stop)](Napi::Env env) { return to_js_floats(env, hardness); };
  };
  return BackgroundWork::start(info.Env(), std::move(live), std::move(body))->promise();
}

}  // namespace saferoute::addon
