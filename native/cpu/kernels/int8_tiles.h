// The inner loops of cpu/int8_matmul.h, compiled for CPUs with int8 tiles only, and the layout that they share with
// their callers. See cpu/kernels.h on what such a source may use.
#pragma once

#include <cstddef>
#include <cstdint>

namespace saferoute::cpu::amx {

// A panel is what the kernel multiplies a block of tokens with: kPanelOutputs outputs over all inputs, padded with
// zeros, in two halves, each a tile wide. In memory: what the zero point adds to each output, to start its sum from, as
// int32 (kPanelOutputs); then per kStepInputs inputs both tiles, each (kStepInputs / 4, kTileOutputs, 4 inputs).
inline constexpr int64_t kTileOutputs = 16;
inline constexpr int64_t kPanelOutputs = 2 * kTileOutputs;
inline constexpr int64_t kStepInputs = 64;

constexpr int64_t panels_of(int64_t outputs) { return (outputs + kPanelOutputs - 1) / kPanelOutputs; }

constexpr int64_t panel_bytes(int64_t inputs) {
  const int64_t steps = (inputs + kStepInputs - 1) / kStepInputs;
  return kPanelOutputs * static_cast<int64_t>(sizeof(int32_t)) + steps * kPanelOutputs * kStepInputs;
}

// Which columns of a weight a panel's halves take: half h of panel p those from p * per_panel + h * per_half on, as far
// as they lie before end[h].
struct PanelColumns {
  int64_t per_panel;
  int64_t per_half;
  int64_t end[2];
};

// Neighbours in both halves.
constexpr PanelColumns neighbours(int64_t outputs) { return {kPanelOutputs, kTileOutputs, {outputs, outputs}}; }

// Packs panels [first, last).
void pack_panels(const int8_t* weight,  // (inputs, outputs)
                 std::byte* packed,     // (panels, panel_bytes): panel 0
                 int64_t first, int64_t last, const PanelColumns& columns, int64_t outputs, int64_t inputs);

// The sums of `tokens` tokens for the outputs of panels [first, last), of neighbours.
void multiply_panels(const uint8_t* x,         // (tokens, inputs)
                     const std::byte* packed,  // (panels, panel_bytes): panel 0
                     int32_t* sums,            // (tokens, outputs)
                     int64_t tokens, int64_t first, int64_t last, int64_t outputs, int64_t inputs);

}  // namespace saferoute::cpu::amx
