// The gated activation of an MLP, a vector at a time.
#pragma once

#include "cpu/kernels/lanes.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

// silu(gate) * up
inline Lanes gated(Lanes gate, Lanes up) { return gate / (1.0f + exp(-gate)) * up; }

// The same of the sums of an int8 GEMM. The scales are those of the weights.
inline Lanes gated(IntLanes gate, IntLanes up, Lanes gate_scale, Lanes up_scale, float token_scale) {
  return gated(to_float(gate) * (gate_scale * token_scale), to_float(up) * (up_scale * token_scale));
}

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
