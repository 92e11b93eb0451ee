// activated = silu(gate) * up of an int8 product's sums. The tile unit is busy with a block for as long as the vector
// units take to activate one, and they work side by side: at each step of a block's product one row of the block before
// is activated, out of a copy of its sums that never leaves the first-level cache.
#include "cpu/kernels/int8_gate_up.h"

#include "cpu/kernels/gated.h"
#include "cpu/kernels/int8_block.h"
#include "cpu/kernels/quantize.h"

namespace saferoute::cpu::amx {
namespace {

static_assert(kLanes == kTileOutputs);

// Scales of the elements of a panel.
struct PanelScales {
  Lanes gate, up;

  PanelScales(const GateUp& work, int64_t panel) {
    const int64_t element = panel * kTileOutputs;
    const int64_t left = work.intermediate - element;
    const int64_t count = left < kTileOutputs ? left : kTileOutputs;
    gate = load(work.weight_scale + element, count);
    up = load(work.weight_scale + work.intermediate + element, count);
  }
};

// The sums of a block on their way to activations.
class PendingBlock {
 public:
  // Of `inputs` inputs: enough rows at a time to be done within the next block.
  explicit PendingBlock(int64_t inputs) {
    const int64_t steps = inputs / kStepInputs > 0 ? inputs / kStepInputs : 1;
    rows_per_step_ = (kBlockTokens + steps - 1) / steps;
  }

  int32_t* sums() { return sums_[0]; }  // (kBlockTokens, kPanelOutputs)

  // All rows have been activated, and the sums are those of another block.
  void start(const PanelScales& scales, const float* token_scale, float* activated, int64_t rows) {
    gate_scale_ = scales.gate;
    up_scale_ = scales.up;
    token_scale_ = token_scale;
    activated_ = activated;
    rows_ = rows;
    row_ = 0;
  }

  void step() {
    for (int64_t i = 0; i < rows_per_step_ && row_ < rows_; ++i) activate();
  }

  void finish() {
    while (row_ < rows_) activate();
  }

 private:
  void activate() {
    const int32_t* sums = sums_[row_];
    store(gated(load(sums, kLanes), load(sums + kTileOutputs, kLanes), gate_scale_, up_scale_, token_scale_[row_]),
          activated_ + row_ * kTileOutputs);
    ++row_;
  }

  alignas(64) int32_t sums_[kBlockTokens][kPanelOutputs];
  Lanes gate_scale_{}, up_scale_{};
  const float* token_scale_ = nullptr;  // (rows)
  float* activated_ = nullptr;          // (rows, kTileOutputs)
  int64_t rows_ = 0;
  int64_t row_ = 0;  // the next to be activated
  int64_t rows_per_step_;
};

template <bool kTall>
void multiply(const GateUp& work, int64_t token, int64_t tokens, const std::byte* panel, PanelPrefetch& weights,
              PendingBlock& pending) {
  multiply_block<kTall>(work.x + token * work.inputs, panel, tokens, work.inputs, [&] {
    weights.step();
    pending.step();
  });
  pending.finish();
  settle_stores();
  store_block<kTall>(pending.sums(), kPanelOutputs);
  settle_stores();
}

}  // namespace

void gate_up_panels(const GateUp& work, int64_t first, int64_t last) {
  const int64_t bytes = panel_bytes(work.inputs);
  PanelPrefetch weights(work.tokens);
  PendingBlock pending(work.inputs);
  int64_t configured = 0;
  for (int64_t p = first; p < last; ++p) {
    const std::byte* panel = work.packed + p * bytes;
    const PanelScales scales(work, p);
    weights.start(panel + bytes);
    if (p + 1 == last) weights.stop();
    for (int64_t t = 0; t < work.tokens; t += kBlockTokens) {
      const int64_t there = work.tokens - t < kBlockTokens ? work.tokens - t : kBlockTokens;
      if (there != configured) configure_block(configured = there);
      const auto multiply_tokens = there > kTileRows ? multiply<true> : multiply<false>;
      multiply_tokens(work, t, there, panel, weights, pending);
      pending.start(scales, work.token_scale + t, work.activated + (p * work.batch_tokens + t) * kTileOutputs, there);
    }
  }
  pending.finish();
  _tile_release();
}

// Twice over the tokens, which the second-level cache holds the second time. A line of bytes is four panels.
void quantize_activated(const float* activated, uint8_t* out, float* scale, int64_t tokens, int64_t batch_tokens,
                        int64_t intermediate) {
  const int64_t panels = gate_up_panels_of(intermediate);
  const int64_t stride = batch_tokens * kTileOutputs;
  Magnitude largest[kQuantizedTokens];
  for (int64_t p = 0; p < panels; ++p) {
    for (int64_t t = 0; t < tokens; ++t) largest[t].add(load(activated + p * stride + t * kTileOutputs));
  }
  float factor[kQuantizedTokens];
  for (int64_t t = 0; t < tokens; ++t) {
    const float magnitude = largest[t].value();
    factor[t] = quantization_factor(magnitude);
    scale[t] = magnitude / kQuantizedLimit;
  }
  constexpr int64_t kLinePanels = kLineBytes / kTileOutputs;
  for (int64_t from = 0; from < panels; from += kLinePanels) {
    const int64_t to = from + kLinePanels < panels ? from + kLinePanels : panels;
    for (int64_t t = 0; t < tokens; ++t) {
      for (int64_t p = from; p < to; ++p) {
        const int64_t left = intermediate - p * kTileOutputs;
        quantize(load(activated + p * stride + t * kTileOutputs), factor[t], out + t * intermediate + p * kTileOutputs,
                 left < kTileOutputs ? left : kTileOutputs);
      }
    }
  }
}

}  // namespace saferoute::cpu::amx
