// A block of an int8 product: 32 tokens by the 32 outputs of a panel stay in four tile registers over all inputs, so
// that each tile that is read feeds two products. The zero point costs nothing: the accumulators start from -128 * sum
// over i of weight[i, o], which packing has computed.
#pragma once

#include "cpu/kernels/int8_tiles.h"
#include "cpu/kernels/tile_config.h"

namespace saferoute::cpu::amx {

inline constexpr int64_t kTileBytes = kTileRows * kTileRowBytes;
inline constexpr int64_t kBlockTokens = 2 * kTileRows;
inline constexpr int64_t kLineBytes = 64;

// Measured on Granite Rapids: a tile store costs 0.3 us when the last one was more than 20 steps ago, but 0.05 us
// otherwise, so a store that nobody reads after every 8 steps makes products of 2048 inputs a fifth faster in cache. To
// be removed where a later CPU no longer gains from it.
inline constexpr int64_t kStepsPerSpareStore = 8;

// The panel after the one at hand on its way to the second-level cache, a little at each step of all its blocks.
class PanelPrefetch {
 public:
  // A single block waits for its weights whatever one does, and the CPU's own prefetching is best at that.
  explicit PanelPrefetch(int64_t tokens) {
    const int64_t blocks = (tokens + kBlockTokens - 1) / kBlockTokens;
    constexpr int64_t kStepLines = 2 * kTileBytes / kLineBytes;
    lines_per_step_ = blocks == 1 ? 0 : (kStepLines + blocks - 1) / blocks;
  }

  void start(const std::byte* panel) { next_ = panel; }
  void stop() { lines_per_step_ = 0; }

  void step() {
    for (int64_t line = 0; line < lines_per_step_; ++line) {
      _mm_prefetch(reinterpret_cast<const char*>(next_), _MM_HINT_T1);
      next_ += kLineBytes;
    }
  }

 private:
  const std::byte* next_ = nullptr;
  int64_t lines_per_step_;
};

// Sums in tiles 0 to 3 (row of tiles, then column), activations in 4 and 5, weights in 6 and 7. With fewer than 32
// tokens the tiles have fewer rows, so that nothing behind x is read and nothing behind the sums written.
inline void configure_block(int64_t tokens) {
  const auto upper = static_cast<uint8_t>(tokens < kTileRows ? tokens : kTileRows);
  const auto lower = static_cast<uint8_t>(tokens > kTileRows ? tokens - kTileRows : kTileRows);
  TileConfig config;
  const uint8_t rows[] = {upper, upper, lower, lower, upper, lower, kTileRows, kTileRows};
  for (int tile = 0; tile < 8; ++tile) {
    config.row_bytes[tile] = kTileRowBytes;
    config.rows[tile] = rows[tile];
  }
  load_config(config);
}

// kStepInputs inputs. kTall: more than 16 tokens.
template <bool kTall>
inline void multiply_step(const uint8_t* x, int64_t x_stride, const std::byte* tiles) {
  _tile_loadd(6, tiles, kTileRowBytes);
  _tile_loadd(4, x, x_stride);
  _tile_loadd(7, tiles + kTileBytes, kTileRowBytes);
  _tile_dpbusd(0, 4, 6);
  _tile_dpbusd(1, 4, 7);
  if constexpr (kTall) {
    _tile_loadd(5, x + kTileRows * x_stride, x_stride);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbusd(3, 5, 7);
  }
}

// Leaves the sums of a block in tiles 0 to 3. Calls beside() at every step but a last one that is not whole: what it
// does runs in the shadow of the tile unit, as long as it is short.
template <bool kTall, typename F>
inline void multiply_block(const uint8_t* x,        // (tokens, inputs)
                           const std::byte* panel,  // (panel_bytes)
                           int64_t tokens, int64_t inputs, F&& beside) {
  // A row stride of zero repeats the one row of starting values.
  _tile_loadd(0, panel, 0);
  _tile_loadd(1, panel + kTileRowBytes, 0);
  if constexpr (kTall) {
    _tile_loadd(2, panel, 0);
    _tile_loadd(3, panel + kTileRowBytes, 0);
  }
  const std::byte* tiles = panel + 2 * kTileRowBytes;
  alignas(kLineBytes) std::byte spare[kLineBytes];
  int64_t input = 0;
  for (int64_t step = 0; input + kStepInputs <= inputs; ++step) {
    beside();
    multiply_step<kTall>(x + input, inputs, tiles);
    if (step % kStepsPerSpareStore == kStepsPerSpareStore - 1) _tile_stored(6, spare, 0);
    input += kStepInputs;
    tiles += 2 * kTileBytes;
  }
  if (input < inputs) {
    alignas(64) uint8_t rest[kBlockTokens * kStepInputs];  // (tokens, kStepInputs)
    const __mmask64 there = ~uint64_t{0} >> (kStepInputs - (inputs - input));
    for (int64_t t = 0; t < tokens; ++t) {
      _mm512_store_si512(rest + t * kStepInputs, _mm512_maskz_loadu_epi8(there, x + t * inputs + input));
    }
    settle_stores();
    multiply_step<kTall>(rest, kStepInputs, tiles);
  }
}

template <bool kTall>
inline void store_block(int32_t* sums,  // (tokens, width), of which kPanelOutputs columns are written
                        int64_t width) {
  const int64_t stride = width * static_cast<int64_t>(sizeof(int32_t));
  _tile_stored(0, sums, stride);
  _tile_stored(1, sums + kTileOutputs, stride);
  if constexpr (kTall) {
    _tile_stored(2, sums + kTileRows * width, stride);
    _tile_stored(3, sums + kTileRows * width + kTileOutputs, stride);
  }
}

}  // namespace saferoute::cpu::amx
