// What the end of a guard's forward pass holds: final norm, verdict rows and router.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "model/tensor_table.h"
#include "ort/ort_backend.h"  // GuardSource
#include "router/network.h"

namespace saferoute::ort {

struct HeadWeights {
  std::vector<float> final_norm;                   // (hidden)
  std::vector<float> verdict_rows;                 // (verdict_tokens, hidden)
  std::shared_ptr<const router::Network> network;  // null where the guard carries no router; quantised for kInt8

  uint64_t bytes() const;
};

// Reads the head from the checkpoint's `table` and the router's files. Throws Error(kCheckpoint | kNotFinite), also
// where the router's input is not as wide as the guard's feature.
HeadWeights load_head(const model::TensorTable& table, const GuardSource& source);

}  // namespace saferoute::ort
