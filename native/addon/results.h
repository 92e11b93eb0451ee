// From what the engine says to the objects that lib/native.ts declares.
#pragma once

#include <vector>

#include <napi.h>

#include "addon/cuda_library.h"
#include "engine/engine.h"
#include "model/weights.h"

namespace saferoute::addon {

Napi::Array to_js_events(Napi::Env env, const std::vector<engine::Event>& events);
Napi::Object to_js_stats(Napi::Env env, const engine::EngineStats& stats);
Napi::Object to_js_info(Napi::Env env, const engine::GuardInfo& info);
Napi::Object to_js_cuda(Napi::Env env, const CudaState& state);
Napi::Object to_js_estimate(Napi::Env env, const model::MemoryEstimate& estimate);

}  // namespace saferoute::addon
