// Shapes of published guards, for tests that only count and for guards of random weights.
#pragma once

#include <string>

#include "cuda/guard_demand.h"
#include "model/model_spec.h"

namespace saferoute::cuda {

// What config.json of meta-llama/Llama-Guard-3-1B and of Llama-Guard-3-8B have in common.
inline model::ModelSpec llama_guard_3() {
  model::ModelSpec spec;
  spec.heads = 32;
  spec.kv_heads = 8;
  spec.vocab_size = 128256;
  spec.max_positions = 131072;
  spec.rms_norm_eps = 1e-5f;
  spec.rope_theta = 5e5;
  spec.rope_scaling = {.factor = 8, .low_freq_factor = 1, .high_freq_factor = 4, .original_max_positions = 8192};
  return spec;
}

inline model::ModelSpec llama_guard_3_1b() {
  model::ModelSpec spec = llama_guard_3();
  spec.layers = 16;
  spec.hidden_size = 2048;
  spec.head_dim = 64;
  spec.intermediate_size = 8192;
  return spec;
}

inline model::ModelSpec llama_guard_3_8b() {
  model::ModelSpec spec = llama_guard_3();
  spec.layers = 32;
  spec.hidden_size = 4096;
  spec.head_dim = 128;
  spec.intermediate_size = 14336;
  return spec;
}

inline GuardDemand llama_guard_1b() {
  GuardDemand demand;
  demand.name = "small";
  demand.spec = llama_guard_3_1b();
  return demand;
}

inline GuardDemand llama_guard_8b() {
  GuardDemand demand;
  demand.name = "large";
  demand.spec = llama_guard_3_8b();
  return demand;
}

}  // namespace saferoute::cuda
