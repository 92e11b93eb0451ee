#include "addon/gpu_plan.h"

#include <utility>
#include <vector>

#include "addon/engine_config.h"
#include "addon/fields.h"
#include "cuda/memory_plan.h"
#include "cuda/plan_table.h"
#include "router/network.h"

namespace saferoute::addon {
namespace {

cuda::RouterLayout router_layout(Napi::Value router) {
  if (router.IsNull()) return {};
  ort::RouterSource source = read_router_source(router);
  const model::TensorTable table(std::move(source.paths), std::move(source.entries));
  return cuda::plan_router(router::load_network(table, source.layers));
}

cuda::GuardDemand read_demand(Napi::Value value, const Fields& request) {
  static constexpr Choices<cuda::Precision, 2> kPrecisions = {
      {{"bf16", cuda::Precision::kBf16}, {"fp8", cuda::Precision::kFp8}}};
  const Fields guard(value, "request.guards");
  const Napi::Object object = value.As<Napi::Object>();
  cuda::GuardDemand demand{.name = guard.string("name"),
                           .spec = read_model_spec(object.Get("spec")),
                           .precision = request.choice("precision", kPrecisions),
                           .verdict_tokens = guard.int32("verdictTokens"),
                           .router = router_layout(object.Get("router")),
                           .batch_tokens = request.int32("batchTokens"),
                           .batch_rows = request.int32("batchRows"),
                           .kv_bytes = request.uint64("kvBytes")};
  model::validate(demand.spec);
  return demand;
}

}  // namespace

Napi::Value plan_gpu_memory(Napi::Value value) {
  const Fields request(value, "request");
  const Napi::Value guards = value.As<Napi::Object>().Get("guards");
  if (!guards.IsArray()) request.refuse("guards", "an array");
  std::vector<cuda::GuardDemand> demands;
  for (uint32_t index = 0; index < guards.As<Napi::Array>().Length(); ++index) {
    demands.push_back(read_demand(guards.As<Napi::Array>().Get(index), request));
  }
  const Fields limit = request.object("gpuLimit");
  const cuda::DeviceMemory device{.total_bytes = request.uint64("totalBytes"),
                                  .free_bytes = request.uint64("freeBytes")};
  const cuda::MemoryPlan plan = cuda::plan_memory(
      {.guards = std::move(demands),
       .budget = cuda::gpu_budget(device, {.bytes = limit.uint64("bytes"), .fraction = limit.number("fraction")}, 0),
       .host_bytes = request.uint64("hostBytes")});
  const Napi::Object result = Napi::Object::New(value.Env());
  result.Set("fits", plan.fits());
  result.Set("table", cuda::plan_table(plan));
  return result;
}

}  // namespace saferoute::addon
