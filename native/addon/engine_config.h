// From the `NativeEngineConfig` of lib/native.ts to what the rooms below take.
#pragma once

#include <optional>
#include <variant>

#include <napi.h>

#include "cuda/guard_source.h"
#include "engine/engine.h"
#include "model/weights.h"
#include "ort/ort_backend.h"

namespace saferoute::addon {

struct CpuPair {
  ort::GuardSource small;
  std::optional<ort::GuardSource> large;
  ort::RuntimeOptions runtime;
};

struct EngineConfig {
  std::variant<CpuPair, cuda::PairSource> guards;
  engine::EngineOptions options;
};

// Throws a TypeError naming the first member that is missing or of the wrong type.
EngineConfig read_engine_config(Napi::Value value);

// The same for a `NativeModelSpec`, for a precision, and for a `NativeRouter`.
model::ModelSpec read_model_spec(Napi::Value value);
model::WeightFormat read_weight_format(Napi::Value value);
ort::RouterSource read_router_source(Napi::Value value);

}  // namespace saferoute::addon
