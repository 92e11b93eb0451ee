// What the addon exports, as lib/native.ts declares it. One instance per environment.
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <napi.h>

#include "addon/background_work.h"
#include "addon/cuda_library.h"
#include "addon/engine_config.h"
#include "addon/engine_link.h"
#include "addon/engine_wrap.h"
#include "addon/errors.h"
#include "addon/fields.h"
#include "addon/gpu_plan.h"
#include "addon/js_values.h"
#include "addon/library_path.h"
#include "addon/live_work.h"
#include "addon/results.h"
#include "addon/training.h"
#include "cpu/cpu_features.h"
#include "model/int8_weights.h"
#include "model/weights.h"
#include "ort/ort_backend.h"
#include "ort/thread_heap.h"

namespace saferoute::addon {

class Module : public Napi::Addon<Module> {
 public:
  Module(Napi::Env env, Napi::Object exports) : engine_class_(Napi::Persistent(EngineWrap::define(env))) {
    end_work_at_exit(env);
    DefineAddon(exports, {
                             InstanceMethod<&Module::load_engine>("loadEngine", napi_enumerable),
                             InstanceMethod<&Module::train_router>("trainRouter", napi_enumerable),
                             InstanceMethod<&Module::route_features>("routeFeatures", napi_enumerable),
                             InstanceMethod<&Module::runtime_version>("runtimeVersion", napi_enumerable),
                             InstanceMethod<&Module::cpu_features>("cpuFeatures", napi_enumerable),
                             InstanceMethod<&Module::cuda_device>("cudaDevice", napi_enumerable),
                             InstanceMethod<&Module::plan_gpu>("planGpuMemory", napi_enumerable),
                             InstanceMethod<&Module::int8_weights>("int8Weights", napi_enumerable),
                             InstanceMethod<&Module::trim_memory>("trimMemory", napi_enumerable),
                             InstanceMethod<&Module::available_memory>("availableMemory", napi_enumerable),
                             InstanceMethod<&Module::estimate_memory>("estimateMemory", napi_enumerable),
                         });
  }

 private:
  // process.exit() in the main thread skips the environment's clean-up hooks and destroys the globals of every library,
  // so whatever runs on threads must have ended by then.
  void end_work_at_exit(Napi::Env env) {
    const Napi::Object process = env.Global().Get("process").As<Napi::Object>();
    const auto end_work = [live = live_](const Napi::CallbackInfo&) {
      while (!live->empty()) (*live->begin())->end_now();
    };
    process.Get("once").As<Napi::Function>().Call(process,
                                                  {Napi::String::New(env, "exit"), Napi::Function::New(env, end_work)});
  }

  // Never throws: a wrong call rejects the promise like a failed load.
  Napi::Value load_engine(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return rejecting(env, [&] {
      EngineConfig config = read_engine_config(info[0]);
      if (!info[1].IsFunction()) throw type_error(env, "onEvents", "a function");
      return EngineLink::load(env, std::move(config), live_, engine_class_.Value(), info[1].As<Napi::Function>());
    });
  }

  // Never throws: a wrong call rejects `done`.
  Napi::Value train_router(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    std::function<void()> stop = [] {};
    const Napi::Object training = Napi::Object::New(env);
    training.Set("done", rejecting(env, [&] {
                   StartedTraining started = start_training(info, live_);
                   stop = std::move(started.stop);
                   return started.done;
                 }));
    training.Set("stop", Napi::Function::New(env, [stop](const Napi::CallbackInfo&) { stop(); }, "stop"));
    return training;
  }

  // Never throws: a wrong call rejects the promise.
  Napi::Value route_features(const Napi::CallbackInfo& info) {
    return rejecting(info.Env(), [&] { return start_routing(info, live_); });
  }

  // The promise that `body` returns, or one rejected with what it throws.
  template <typename Body>
  static Napi::Promise rejecting(Napi::Env env, Body body) {
    try {
      return guarded(env, body);
    } catch (const Napi::Error& error) {
      const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
      deferred.Reject(error.Value());
      return deferred.Promise();
    }
  }

  Napi::Value runtime_version(const Napi::CallbackInfo& info) {
    return guarded(info.Env(),
                   [&] { return Napi::String::New(info.Env(), ort::runtime_version(private_onnxruntime_path())); });
  }

  Napi::Value cpu_features(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const auto to_string = [&](const std::string& feature) { return Napi::String::New(info.Env(), feature); };
      return to_js_array(info.Env(), cpu::cpu_features(), to_string);
    });
  }

  // Never throws. On a thread of its own: a first look at a GPU takes as long as the driver's start.
  Napi::Value cuda_device(const Napi::CallbackInfo& info) {
    const auto look = [](BackgroundWork&, std::stop_token) -> BackgroundWork::ToValue {
      return [state = cuda_state()](Napi::Env env) { return to_js_cuda(env, state); };
    };
    return rejecting(info.Env(), [&] { return BackgroundWork::start(info.Env(), live_, look)->promise(); });
  }

  Napi::Value plan_gpu(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] { return plan_gpu_memory(info[0]); });
  }

  Napi::Value int8_weights(const Napi::CallbackInfo& info) {
    return guarded(info.Env(), [&] {
      const Napi::Object object = Napi::Object::New(info.Env());
      object.Set("bits", ort::int8_weight_bits());
      object.Set("recipe", model::kInt8RecipeVersion);
      return object;
    });
  }

  void trim_memory(const Napi::CallbackInfo&) { ort::trim_thread_heap(); }

  Napi::Value available_memory(const Napi::CallbackInfo& info) {
    return guarded(info.Env(),
                   [&] { return Napi::Number::New(info.Env(), static_cast<double>(model::available_memory_bytes())); });
  }

  Napi::Value estimate_memory(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return guarded(env, [&] {
      const model::ModelSpec spec = read_model_spec(info[0]);
      const model::WeightFormat format = read_weight_format(info[1]);
      const int32_t batch_tokens = read_int32(info[2], "batchTokens");
      const uint64_t kv_bytes = read_uint64(info[3], "kvBytes");
      return to_js_estimate(env, model::estimate_memory(spec, format, batch_tokens, kv_bytes));
    });
  }

  Napi::FunctionReference engine_class_;
  const std::shared_ptr<LiveWorks> live_ = std::make_shared<LiveWorks>();
};

NODE_API_ADDON(Module)

}  // namespace saferoute::addon
