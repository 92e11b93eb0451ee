#include "ort/head_weights.h"

#include <string>
#include <utility>

#include "engine/error.h"
#include "model/weights.h"
#include "router/quantized_weights.h"

namespace saferoute::ort {

uint64_t HeadWeights::bytes() const {
  const size_t floats = final_norm.size() + verdict_rows.size();
  return floats * sizeof(float) + (network ? network->bytes() : 0);
}

HeadWeights load_head(const model::TensorTable& table, const GuardSource& source) {
  HeadWeights head{.final_norm = model::load_final_norm(table, source.spec),
                   .verdict_rows = model::load_head_rows(table, source.spec, source.verdict_ids),
                   .network = nullptr};
  if (!source.router) return head;
  const model::TensorTable router(source.router->paths, source.router->entries);
  auto network = std::make_shared<router::Network>(router::load_network(router, source.router->layers));
  if (network->input_size() != source.spec.hidden_size) {
    throw Error(ErrorCode::kCheckpoint, "the router reads features of width " + std::to_string(network->input_size()) +
                                            ", but the guard's hidden size is " +
                                            std::to_string(source.spec.hidden_size));
  }
  if (source.precision == Precision::kInt8) router::quantize_weights(*network);
  head.network = std::move(network);
  return head;
}

}  // namespace saferoute::ort
