// Shapes of published guards, for tests that only count.
#pragma once

#include "cuda/guard_demand.h"

namespace saferoute::cuda {

// meta-llama/Llama-Guard-3-1B
inline GuardDemand llama_guard_1b() {
  GuardDemand demand;
  demand.name = "small";
  demand.spec = {.layers = 16,
                 .hidden_size = 2048,
                 .heads = 32,
                 .kv_heads = 8,
                 .head_dim = 64,
                 .intermediate_size = 8192,
                 .vocab_size = 128256,
                 .max_positions = 131072,
                 .rope_scaling = {}};
  return demand;
}

// meta-llama/Llama-Guard-3-8B
inline GuardDemand llama_guard_8b() {
  GuardDemand demand;
  demand.name = "large";
  demand.spec = {.layers = 32,
                 .hidden_size = 4096,
                 .heads = 32,
                 .kv_heads = 8,
                 .head_dim = 128,
                 .intermediate_size = 14336,
                 .vocab_size = 128256,
                 .max_positions = 131072,
                 .rope_scaling = {}};
  return demand;
}

}  // namespace saferoute::cuda
