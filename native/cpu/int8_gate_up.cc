#include "cpu/int8_gate_up.h"

#include <cstdlib>

#include "cpu/int8_pieces.h"
#include "cpu/kernels/int8_gate_up.h"

namespace saferoute::cpu {

int64_t packed_gate_up_bytes(int64_t intermediate, int64_t inputs) {
  return amx::gate_up_panels_of(intermediate) * amx::panel_bytes(inputs);
}

int64_t activated_size(int64_t tokens, int64_t intermediate) {
  return amx::gate_up_panels_of(intermediate) * tokens * amx::kTileOutputs;
}

#if SAFEROUTE_CPU_X86

void pack_gate_up(const int8_t* weight, std::byte* packed, int64_t intermediate, int64_t inputs,
                  ParallelFor parallel_for) {
  for_ranges(parallel_for, amx::gate_up_panels_of(intermediate), kPackPanels, [&](int64_t first, int64_t last) {
    amx::pack_panels(weight, packed, first, last, amx::gate_up_columns(intermediate), 2 * intermediate, inputs);
  });
}

// The largest magnitude of a token is known only when all its elements are.
void gate_up_swiglu(const uint8_t* x, const float* token_scale, const std::byte* packed, const float* weight_scale,
                    float* activated, uint8_t* out, float* out_scale, int64_t tokens, int64_t intermediate,
                    int64_t inputs, ParallelFor parallel_for) {
  for_pieces(parallel_for, tokens, amx::gate_up_panels_of(intermediate), inputs,
             [&](int64_t token, int64_t piece_tokens, int64_t first, int64_t last) {
               const amx::GateUp work = {.x = x + token * inputs,
                                         .token_scale = token_scale + token,
                                         .packed = packed,
                                         .weight_scale = weight_scale,
                                         .activated = activated + token * amx::kTileOutputs,
                                         .tokens = piece_tokens,
                                         .batch_tokens = tokens,
                                         .intermediate = intermediate,
                                         .inputs = inputs};
               amx::gate_up_panels(work, first, last);
             });
  for_ranges(parallel_for, tokens, amx::kQuantizedTokens, [&](int64_t first, int64_t last) {
    amx::quantize_activated(activated + first * amx::kTileOutputs, out + first * intermediate, out_scale + first,
                            last - first, tokens, intermediate);
  });
}

#else

void pack_gate_up(const int8_t*, std::byte*, int64_t, int64_t, ParallelFor) { std::abort(); }
void gate_up_swiglu(const uint8_t*, const float*, const std::byte*, const float*, float*, uint8_t*, float*, int64_t,
                    int64_t, int64_t, ParallelFor) {
  std::abort();
}

#endif

}  // namespace saferoute::cpu
