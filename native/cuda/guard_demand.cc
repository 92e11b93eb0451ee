#include "cuda/guard_demand.h"

#include <utility>

#include "model/tensor_table.h"
#include "router/network.h"

namespace saferoute::cuda {
namespace {

GuardDemand demand_of(const GuardSource& guard, std::string name, const PairSource& source) {
  model::validate(guard.spec);
  GuardDemand demand{.name = std::move(name),
                     .spec = guard.spec,
                     .precision = guard.precision,
                     .verdict_tokens = static_cast<int32_t>(guard.verdict_ids.size()),
                     .router = {},
                     .batch_tokens = source.batch_tokens,
                     .batch_rows = source.batch_rows,
                     .kv_bytes = guard.kv_bytes};
  if (guard.router) {
    const model::TensorTable table(guard.router->paths, guard.router->entries);
    demand.router = plan_router(router::load_network(table, guard.router->layers));
  }
  return demand;
}

}  // namespace

std::vector<GuardDemand> demands_of(const PairSource& source) {
  if (!source.large) return {demand_of(source.small, "guard", source)};
  return {demand_of(source.small, "small", source), demand_of(*source.large, "large", source)};
}

}  // namespace saferoute::cuda
