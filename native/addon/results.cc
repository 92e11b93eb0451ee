#include "addon/results.h"

#include <optional>
#include <string>

#include "addon/js_values.h"

namespace saferoute::addon {
namespace {

Napi::Value to_js_reading(Napi::Env env, const std::optional<engine::Reading>& reading) {
  if (!reading) return env.Null();
  const Napi::Object object = Napi::Object::New(env);
  object.Set("safe", reading->safe);
  object.Set("unsafe", reading->unsafe);
  object.Set("score", reading->score);
  object.Set("feature", reading->feature.empty() ? env.Null() : to_js_floats(env, reading->feature));
  return object;
}

Napi::String to_js_escalation(Napi::Env env, engine::Escalation escalation) {
  switch (escalation) {
    case engine::Escalation::kNone:
      break;
    case engine::Escalation::kRule:
      return Napi::String::New(env, "rule");
    case engine::Escalation::kAudit:
      return Napi::String::New(env, "audit");
    case engine::Escalation::kCapped:
      return Napi::String::New(env, "capped");
    case engine::Escalation::kShadow:
      return Napi::String::New(env, "shadow");
  }
  return Napi::String::New(env, "none");
}

Napi::Object to_js_alarm(Napi::Env env, const engine::AlarmState& alarm) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("ringing", alarm.ringing);
  object.Set("rate", to_js_number(env, alarm.rate));
  object.Set("low", alarm.band.low);
  object.Set("high", alarm.band.high);
  object.Set("ringsBelow", alarm.rings_below);
  object.Set("ringsAbove", alarm.rings_above);
  object.Set("window", alarm.band.window);
  object.Set("ringingMs", alarm.ringing_ms);
  object.Set("rung", static_cast<double>(alarm.rung));
  return object;
}

void set_verdict(Napi::Env env, const Napi::Object& object, const engine::Event& event) {
  object.Set("small", to_js_reading(env, event.small));
  object.Set("large", to_js_reading(env, event.large));
  object.Set("hardness", to_js_number(env, event.hardness));
  object.Set("escalation", to_js_escalation(env, event.escalation));
  object.Set("queueMs", event.timing.queue_ms);
  object.Set("smallMs", event.timing.small_ms);
  object.Set("largeMs", event.timing.large_ms);
  object.Set("totalMs", event.timing.total_ms);
  object.Set("promptTokens", event.prompt_tokens);
  object.Set("cachedTokens", event.cached_tokens);
  object.Set("computedTokens", event.computed_tokens);
}

Napi::Object to_js_event(Napi::Env env, const engine::Event& event) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("ticket", static_cast<double>(event.ticket));
  switch (event.kind) {
    case engine::Event::Kind::kStage:
      object.Set("kind", "stage");
      set_verdict(env, object, event);
      break;
    case engine::Event::Kind::kDone:
      object.Set("kind", "done");
      set_verdict(env, object, event);
      break;
    case engine::Event::Kind::kRouted:
      object.Set("kind", "routed");
      object.Set("hardness", event.hardness.value());
      break;
    case engine::Event::Kind::kError:
      object.Set("kind", "error");
      object.Set("code", std::string(code_name(event.error_code)));
      object.Set("message", event.error_message);
      break;
    case engine::Event::Kind::kAlarm:
      object.Set("kind", "alarm");
      object.Set("alarm", to_js_alarm(env, event.alarm.value()));
      break;
  }
  return object;
}

Napi::Object to_js_lane(Napi::Env env, const engine::LaneStats& stats) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("queued", static_cast<double>(stats.queued));
  object.Set("running", static_cast<double>(stats.running));
  object.Set("batches", static_cast<double>(stats.batches));
  object.Set("rows", static_cast<double>(stats.rows));
  object.Set("tokens", static_cast<double>(stats.tokens));
  object.Set("cachedTokens", static_cast<double>(stats.cached_tokens));
  object.Set("budgetTokens", static_cast<double>(stats.budget_tokens));
  object.Set("evictedPages", static_cast<double>(stats.evicted_pages));
  object.Set("kvPages", stats.kv_pages);
  object.Set("kvPagesUsed", stats.kv_pages_used);
  return object;
}

Napi::Object to_js_latency(Napi::Env env, const engine::LatencyStats& stats) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("count", static_cast<double>(stats.count));
  object.Set("p50", stats.p50_ms);
  object.Set("p95", stats.p95_ms);
  object.Set("p99", stats.p99_ms);
  return object;
}

Napi::Object to_js_latencies(Napi::Env env, const engine::EngineStats& stats) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("queue", to_js_latency(env, stats.queue_latency));
  object.Set("small", to_js_latency(env, stats.small_latency));
  object.Set("large", to_js_latency(env, stats.large_latency));
  object.Set("total", to_js_latency(env, stats.total_latency));
  return object;
}

Napi::Object to_js_valves(Napi::Env env, const engine::ValveStats& stats) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("decided", static_cast<double>(stats.decided));
  object.Set("rule", static_cast<double>(stats.rule));
  object.Set("audit", static_cast<double>(stats.audit));
  object.Set("capped", static_cast<double>(stats.capped));
  object.Set("shadow", static_cast<double>(stats.shadow));
  object.Set("auditsSkipped", static_cast<double>(stats.audits_skipped));
  object.Set("auditsAgreed", static_cast<double>(stats.audits_agreed));
  object.Set("auditsOnlyLargeUnsafe", static_cast<double>(stats.audits_only_large_unsafe));
  object.Set("auditsOnlySmallUnsafe", static_cast<double>(stats.audits_only_small_unsafe));
  object.Set("budgetThreshold", to_js_number(env, stats.budget_threshold));
  object.Set("alarm", stats.alarm ? to_js_alarm(env, *stats.alarm) : env.Null());
  return object;
}

Napi::Value to_js_outcome(Napi::Env env, const engine::WeightCacheOutcome& outcome) {
  using Kind = engine::WeightCacheOutcome::Kind;
  switch (outcome.kind) {
    case Kind::kNone:
      return Napi::String::New(env, "none");
    case Kind::kRead:
      return Napi::String::New(env, "read");
    case Kind::kWritten:
      return Napi::String::New(env, "written");
    case Kind::kUnusable:
      break;
  }
  const Napi::Object object = Napi::Object::New(env);
  object.Set("warning", outcome.warning);
  return object;
}

Napi::Object to_js_region(Napi::Env env, const engine::DeviceRegion& region) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("purpose", region.purpose);
  object.Set("bytes", static_cast<double>(region.bytes));
  object.Set("usedBytes", static_cast<double>(region.used_bytes));
  return object;
}

// Null where the guard lives in the host's memory.
Napi::Value to_js_gpu_memory(Napi::Env env, const engine::GuardInfo& info) {
  if (info.device_memory.empty()) return env.Null();
  const Napi::Object object = Napi::Object::New(env);
  object.Set("parts", to_js_array(env, info.device_memory, [&](const auto& part) { return to_js_region(env, part); }));
  object.Set("pinnedBytes", static_cast<double>(info.pinned_bytes));
  object.Set("notice", info.memory_notice);
  return object;
}

Napi::Object to_js_facts(Napi::Env env, const cuda::DeviceFacts& facts) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("name", facts.name);
  object.Set("computeMajor", facts.compute_major);
  object.Set("computeMinor", facts.compute_minor);
  object.Set("multiprocessors", facts.multiprocessors);
  object.Set("memoryBytes", static_cast<double>(facts.memory_bytes));
  object.Set("freeBytes", static_cast<double>(facts.free_bytes));
  object.Set("driver", facts.driver);
  object.Set("runtime", facts.runtime);
  object.Set("cublasLt", facts.cublas_lt);
  object.Set("fp8", facts.fp8);
  return object;
}

}  // namespace

Napi::Array to_js_events(Napi::Env env, const std::vector<engine::Event>& events) {
  return to_js_array(env, events, [&](const auto& event) { return to_js_event(env, event); });
}

Napi::Object to_js_stats(Napi::Env env, const engine::EngineStats& stats) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("latency", to_js_latencies(env, stats));
  object.Set("small", to_js_lane(env, stats.small));
  object.Set("large", to_js_lane(env, stats.large));
  object.Set("submitted", static_cast<double>(stats.submitted));
  object.Set("completed", static_cast<double>(stats.completed));
  object.Set("escalated", static_cast<double>(stats.escalated));
  object.Set("failed", static_cast<double>(stats.failed));
  object.Set("cancelled", static_cast<double>(stats.cancelled));
  object.Set("valves", to_js_valves(env, stats.valves));
  return object;
}

Napi::Object to_js_info(Napi::Env env, const engine::GuardInfo& info) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("hiddenSize", info.hidden_size);
  object.Set("maxPositions", info.max_positions);
  object.Set("hasRouter", info.has_router);
  object.Set("weightBytes", static_cast<double>(info.weight_bytes));
  object.Set("kvPages", info.kv_pages);
  object.Set("pageBytes", static_cast<double>(info.page_bytes));
  object.Set("weightCache", to_js_outcome(env, info.weight_cache));
  object.Set("gpuMemory", to_js_gpu_memory(env, info));
  return object;
}

Napi::Object to_js_cuda(Napi::Env env, const CudaState& state) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("driver", state.driver);
  object.Set("problem", state.facts ? env.Null() : Napi::String::New(env, state.problem));
  object.Set("facts", state.facts ? to_js_facts(env, *state.facts) : env.Null());
  return object;
}

Napi::Object to_js_estimate(Napi::Env env, const model::MemoryEstimate& estimate) {
  const Napi::Object object = Napi::Object::New(env);
  object.Set("weightBytes", static_cast<double>(estimate.weight_bytes));
  object.Set("kvBytes", static_cast<double>(estimate.kv_bytes));
  object.Set("loadPeakBytes", static_cast<double>(estimate.load_peak_bytes));
  object.Set("activationBytes", static_cast<double>(estimate.activation_bytes));
  object.Set("peakBytes", static_cast<double>(estimate.peak_bytes()));
  return object;
}

}  // namespace saferoute::addon
