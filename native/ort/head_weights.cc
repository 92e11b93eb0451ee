#include "ort/head_weights.h"

#include <string>

#include "engine/error.h"
#include "model/weights.h"
#include "router/half_weights.h"

namespace saferoute::ort {

uint64_t HeadWeights::bytes() const {
  size_t floats = final_norm.size() + verdict_rows.size();
  size_t halves = 0;
  if (network) {
    for (const router::Layer& layer : network->layers) {
      floats += layer.weight.size() + layer.bias.size() + layer.norm_weight.size() + layer.norm_bias.size();
      halves += layer.half_weight.size();
    }
  }
  return floats * sizeof(float) + halves * sizeof(uint16_t);
}

HeadWeights load_head(const model::TensorTable& table, const GuardSource& source) {
  HeadWeights head{.final_norm = model::load_final_norm(table, source.spec),
                   .verdict_rows = model::load_head_rows(table, source.spec, source.verdict_ids),
                   .network = std::nullopt};
  if (!source.router) return head;
  const model::TensorTable router(source.router->paths, source.router->entries);
  head.network = router::load_network(router, source.router->layers);
  if (head.network->input_size() != source.spec.hidden_size) {
    throw Error(ErrorCode::kCheckpoint,
                "the router reads features of width " + std::to_string(head.network->input_size()) +
                    ", but the guard's hidden size is " + std::to_string(source.spec.hidden_size));
  }
  if (source.precision == Precision::kInt8) router::store_in_halves(*head.network);
  return head;
}

}  // namespace saferoute::ort
