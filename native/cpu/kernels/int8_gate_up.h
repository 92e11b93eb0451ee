// The inner loops of cpu/int8_gate_up.h, compiled for CPUs with int8 tiles only. See cpu/kernels.h on what such a
// source may use.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cpu/kernels/int8_tiles.h"

namespace saferoute::cpu::amx {

// A panel holds the gates of 16 elements in its first half and their ups in the second.
constexpr int64_t gate_up_panels_of(int64_t intermediate) { return (intermediate + kTileOutputs - 1) / kTileOutputs; }
constexpr PanelColumns gate_up_columns(int64_t intermediate) {
  return {kTileOutputs, intermediate, {intermediate, 2 * intermediate}};
}

// Some tokens of a batch.
struct GateUp {
  const uint8_t* x;           // (tokens, inputs)
  const float* token_scale;   // (tokens)
  const std::byte* packed;    // (panels, panel_bytes): panel 0
  const float* weight_scale;  // (2 * intermediate)
  float* activated;           // (panels, batch_tokens, kTileOutputs): panel 0, the first of the tokens
  int64_t tokens;
  int64_t batch_tokens;
  int64_t intermediate;
  int64_t inputs;
};

// activated = silu(gate) * up for the elements of panels [first, last); zeros where a panel is wider than what is left.
void gate_up_panels(const GateUp& work, int64_t first, int64_t last);

// Tokens that are quantised together.
inline constexpr int64_t kQuantizedTokens = 8;

// Quantises up to kQuantizedTokens tokens.
void quantize_activated(const float* activated,  // (panels, batch_tokens, kTileOutputs): the first of the tokens
                        uint8_t* out,            // (tokens, intermediate)
                        float* scale,            // (tokens)
                        int64_t tokens, int64_t batch_tokens, int64_t intermediate);

}  // namespace saferoute::cpu::amx
