// sums[t, o] = sum over i of (x[t, i] - 128) * weight[i, o], block by block.
#include "cpu/kernels/int8_block.h"

namespace saferoute::cpu::amx {
namespace {

// Where a block's sums go, fetched a row at each step: tile stores that have to fetch their lines hold up the next
// block.
struct SumsPrefetch {
  const int32_t* sums;  // (rows, outputs): those not fetched yet
  int64_t rows;
  int64_t outputs;

  void step() {
    if (rows == 0) return;
    __builtin_prefetch(sums, 1);
    __builtin_prefetch(sums + kTileOutputs, 1);
    sums += outputs;
    --rows;
  }
};

// Copies the columns that there are out of the tiles of a panel that is narrower than 32 outputs.
template <bool kTall>
void store_narrow(int32_t* sums, int64_t tokens, int64_t columns, int64_t outputs) {
  alignas(64) int32_t block[kBlockTokens * kPanelOutputs];  // (tokens, kPanelOutputs)
  store_block<kTall>(block, kPanelOutputs);
  for (int64_t t = 0; t < tokens; ++t) {
    __builtin_memcpy(sums + t * outputs, block + t * kPanelOutputs, columns * sizeof(int32_t));
  }
}

template <bool kTall>
void multiply(const uint8_t* x, const std::byte* panel, int32_t* sums, int64_t tokens, int64_t columns, int64_t outputs,
              int64_t inputs, PanelPrefetch& weights) {
  SumsPrefetch prefetch{sums, tokens, outputs};
  multiply_block<kTall>(x, panel, tokens, inputs, [&] {
    weights.step();
    prefetch.step();
  });
  if (columns < kPanelOutputs) return store_narrow<kTall>(sums, tokens, columns, outputs);
  store_block<kTall>(sums, outputs);
}

}  // namespace

// A panel is read from memory once, and from the second-level cache for every further block of tokens.
void multiply_panels(const uint8_t* x, const std::byte* packed, int32_t* sums, int64_t tokens, int64_t first,
                     int64_t last, int64_t outputs, int64_t inputs) {
  const int64_t bytes = panel_bytes(inputs);
  PanelPrefetch weights(tokens);
  int64_t configured = 0;
  for (int64_t p = first; p < last; ++p) {
    const std::byte* panel = packed + p * bytes;
    const int64_t output = p * kPanelOutputs;
    const int64_t columns = outputs - output < kPanelOutputs ? outputs - output : kPanelOutputs;
    weights.start(panel + bytes);
    if (p + 1 == last) weights.stop();
    for (int64_t t = 0; t < tokens; t += kBlockTokens) {
      const int64_t there = tokens - t < kBlockTokens ? tokens - t : kBlockTokens;
      if (there != configured) configure_block(configured = there);
      const auto multiply_tokens = there > kTileRows ? multiply<true> : multiply<false>;
      multiply_tokens(x + t * inputs, panel, sums + t * outputs + output, there, columns, outputs, inputs, weights);
    }
  }
  _tile_release();
}

}  // namespace saferoute::cpu::amx
