#include "addon/engine_config.h"

#include <string>
#include <utility>

#include "addon/fields.h"
#include "addon/library_path.h"

namespace saferoute::addon {
namespace {

constexpr Choices<ort::Precision, 2> kPrecisions = {{{"f32", ort::Precision::kF32}, {"int8", ort::Precision::kInt8}}};
constexpr Choices<cuda::Precision, 2> kCudaPrecisions = {
    {{"bf16", cuda::Precision::kBf16}, {"fp8", cuda::Precision::kFp8}}};

enum class Device { kCpu, kCuda };

model::TensorEntry read_tensor(const Fields& fields) {
  static constexpr Choices<model::DType, 5> kDTypes = {{{"F32", model::DType::kF32},
                                                        {"F16", model::DType::kF16},
                                                        {"BF16", model::DType::kBF16},
                                                        {"I8", model::DType::kI8},
                                                        {"I64", model::DType::kI64}}};
  return {
      .name = fields.string("name"),
      .dtype = fields.choice("dtype", kDTypes),
      .shape = fields.int64s("shape"),
      .file = static_cast<uint32_t>(fields.int32("file")),
      .offset = fields.uint64("offset"),
      .bytes = fields.uint64("bytes"),
  };
}

std::optional<model::Llama3RopeScaling> read_rope_scaling(const Fields& spec) {
  if (spec.is_null("ropeScaling")) return std::nullopt;
  const Fields fields = spec.object("ropeScaling");
  return model::Llama3RopeScaling{
      .factor = static_cast<float>(fields.number("factor")),
      .low_freq_factor = static_cast<float>(fields.number("lowFreqFactor")),
      .high_freq_factor = static_cast<float>(fields.number("highFreqFactor")),
      .original_max_positions = fields.int32("originalMaxPositions"),
  };
}

model::ModelSpec read_spec(const Fields& fields) {
  static constexpr Choices<model::Activation, 1> kActivations = {{{"silu", model::Activation::kSilu}}};
  return {
      .layers = fields.int32("layers"),
      .hidden_size = fields.int32("hiddenSize"),
      .heads = fields.int32("heads"),
      .kv_heads = fields.int32("kvHeads"),
      .head_dim = fields.int32("headDim"),
      .intermediate_size = fields.int32("intermediateSize"),
      .vocab_size = fields.int32("vocabSize"),
      .max_positions = fields.int32("maxPositions"),
      .rms_norm_eps = static_cast<float>(fields.number("rmsNormEps")),
      .rope_theta = fields.number("ropeTheta"),
      .rope_scaling = read_rope_scaling(fields),
      .qk_norm = fields.boolean("qkNorm"),
      .tied_head = fields.boolean("tiedHead"),
      .activation = fields.choice("activation", kActivations),
  };
}

router::LayerNames read_router_layer(const Fields& fields) {
  static constexpr Choices<router::Activation, 3> kActivations = {
      {{"none", router::Activation::kNone}, {"relu", router::Activation::kRelu}, {"gelu", router::Activation::kGelu}}};
  router::LayerNames names;
  names.weight = fields.string("weight");
  names.bias = fields.string("bias");
  if (!fields.is_null("layerNorm")) {
    const Fields norm = fields.object("layerNorm");
    names.layer_norm = router::NormNames{.weight = norm.string("weight"), .bias = norm.string("bias")};
  }
  if (!fields.is_null("batchNorm")) {
    const Fields norm = fields.object("batchNorm");
    names.batch_norm = router::BatchNormNames{.weight = norm.string("weight"),
                                              .bias = norm.string("bias"),
                                              .running_mean = norm.string("runningMean"),
                                              .running_var = norm.string("runningVar")};
  }
  names.activation = fields.choice("activation", kActivations);
  return names;
}

template <typename RouterSource>
RouterSource read_router(const Fields& fields) {
  return {
      .paths = fields.strings("files"),
      .entries = fields.objects("tensors", read_tensor),
      .layers = fields.objects("layers", read_router_layer),
  };
}

std::optional<model::WeightCachePlan> read_weight_cache(const Fields& guard) {
  if (guard.is_null("weightCache")) return std::nullopt;
  const Fields fields = guard.object("weightCache");
  return model::WeightCachePlan{
      .path = fields.string("path"),
      .header = fields.bytes("header"),
      .entries = fields.objects("tensors", read_tensor),
      .file_bytes = fields.uint64("fileBytes"),
  };
}

// What a guard is made from on any device: GuardSource of ort or of cuda, whose RouterSource goes with it.
template <typename GuardSource, typename RouterSource>
GuardSource read_guard(const Fields& guard) {
  GuardSource source;
  source.spec = read_spec(guard.object("spec"));
  source.paths = guard.strings("files");
  source.entries = guard.objects("tensors", read_tensor);
  source.verdict_ids = guard.int32s("verdictIds");
  source.verdict_unsafe = guard.booleans("verdictUnsafe");
  if (source.verdict_unsafe.size() != source.verdict_ids.size()) {
    guard.refuse("verdictUnsafe", "as long as verdictIds");
  }
  if (!guard.is_null("router")) source.router = read_router<RouterSource>(guard.object("router"));
  source.kv_bytes = guard.uint64("kvBytes");
  return source;
}

ort::GuardSource read_cpu_guard(const Fields& guard, const Fields& config) {
  ort::GuardSource source = read_guard<ort::GuardSource, ort::RouterSource>(guard);
  source.precision = guard.choice("precision", kPrecisions);
  source.weight_cache = read_weight_cache(guard);
  source.batch_tokens = config.int32("batchTokens");
  source.memory_limit_bytes = config.uint64("memoryLimit");
  return source;
}

cuda::GuardSource read_cuda_guard(const Fields& guard) {
  cuda::GuardSource source = read_guard<cuda::GuardSource, cuda::RouterSource>(guard);
  source.precision = guard.choice("precision", kCudaPrecisions);
  return source;
}

CpuPair read_cpu_pair(const Fields& config) {
  CpuPair pair;
  pair.small = read_cpu_guard(config.object("small"), config);
  if (!config.is_null("large")) pair.large = read_cpu_guard(config.object("large"), config);
  pair.runtime = {.library_path = private_onnxruntime_path(), .threads = config.int32("threads")};
  return pair;
}

cuda::PairSource read_cuda_pair(const Fields& config) {
  cuda::PairSource pair;
  pair.small = read_cuda_guard(config.object("small"));
  if (!config.is_null("large")) pair.large = read_cuda_guard(config.object("large"));
  const Fields limit = config.object("gpuLimit");
  pair.gpu_limit = {.bytes = limit.uint64("bytes"), .fraction = limit.number("fraction")};
  pair.batch_tokens = config.int32("batchTokens");
  pair.batch_rows = config.int32("batchRows");
  return pair;
}

engine::EscalationRule read_escalation(const Fields& fields) {
  using Kind = engine::EscalationRule::Kind;
  static constexpr Choices<Kind, 6> kKinds = {{{"router", Kind::kRouter},
                                               {"entropy", Kind::kEntropy},
                                               {"random", Kind::kRandom},
                                               {"budget", Kind::kBudget},
                                               {"always", Kind::kAlways},
                                               {"never", Kind::kNever}}};
  return {.kind = fields.choice("kind", kKinds),
          .threshold = fields.number("threshold"),
          .seed = fields.uint64("seed"),
          .window = fields.int32("window"),
          .logit_scale = fields.number("logitScale"),
          .logit_shift = fields.number("logitShift")};
}

engine::ValveOptions read_valves(const Fields& fields) {
  engine::ValveOptions valves;
  valves.audit_rate = fields.number("auditRate");
  valves.audit_seed = fields.uint64("auditSeed");
  if (!fields.is_null("alarm")) {
    const Fields alarm = fields.object("alarm");
    valves.alarm = {.low = alarm.number("low"), .high = alarm.number("high"), .window = alarm.int32("window")};
  }
  if (!fields.is_null("cap")) {
    const Fields cap = fields.object("cap");
    valves.cap = {.per_second = cap.number("perSecond"), .refuses = cap.boolean("refuses")};
  }
  valves.shadow = fields.boolean("shadow");
  return valves;
}

}  // namespace

model::ModelSpec read_model_spec(Napi::Value value) { return read_spec(Fields(value, "spec")); }

model::WeightFormat read_weight_format(Napi::Value value) {
  const bool is_int8 = read_choice(value, "precision", kPrecisions) == ort::Precision::kInt8;
  return is_int8 ? model::WeightFormat::kInt8 : model::WeightFormat::kF32;
}

ort::RouterSource read_router_source(Napi::Value value) {
  return read_router<ort::RouterSource>(Fields(value, "router"));
}

EngineConfig read_engine_config(Napi::Value value) {
  const Fields fields(value, "config");
  EngineConfig config;
  static constexpr Choices<Device, 2> kDevices = {{{"cpu", Device::kCpu}, {"cuda", Device::kCuda}}};
  if (fields.choice("device", kDevices) == Device::kCpu) {
    config.guards = read_cpu_pair(fields);
  } else {
    config.guards = read_cuda_pair(fields);
  }
  config.options = {
      .escalation = read_escalation(fields.object("escalation")),
      .valves = read_valves(fields.object("valves")),
      .unsafe_at = fields.number("unsafeAt"),
      .queue_requests = fields.int32("queueRequests"),
      .batch_tokens = fields.int32("batchTokens"),
      .batch_rows = fields.int32("batchRows"),
      .batch_ms = fields.number("batchMs"),
      .max_wait_ms = fields.number("maxWaitMs"),
  };
  return config;
}

}  // namespace saferoute::addon
