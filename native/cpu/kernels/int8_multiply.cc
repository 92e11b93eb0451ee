// sums[t, o] = sum over i of (x[t, i] - 128) * weight[i, o] in tiles: 32 tokens by 32 outputs stay in four tile
// registers over all inputs, so that each tile that is read feeds two products. The zero point costs nothing: the
// accumulators start from -128 * sum over i of weight[i, o], which packing has computed.
#include "cpu/kernels/int8_tiles.h"
#include "cpu/kernels/tile_config.h"

namespace saferoute::cpu::amx {
namespace {

constexpr int64_t kTileOutputs = 16;
constexpr int64_t kTileBytes = kTileRows * kTileRowBytes;
constexpr int64_t kBlockTokens = 2 * kTileRows;
constexpr int64_t kLineBytes = 64;

// Measured on Granite Rapids: a tile store costs 0.3 us when the last one was more than 20 steps ago, but 0.05 us
// otherwise, so a store that nobody reads after every 8 steps makes products of 2048 inputs a fifth faster in cache. To
// be removed where a later CPU no longer gains from it.
constexpr int64_t kStepsPerSpareStore = 8;

// Sums in tiles 0 to 3 (row of tiles, then column), activations in 4 and 5, weights in 6 and 7. With fewer than 32
// tokens the tiles have fewer rows, so that nothing behind x is read and nothing behind the sums written.
void configure(int64_t tokens) {
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

// Memory that a block needs later than the step at hand, fetched a little at each.
struct Prefetch {
  const std::byte* weights;  // the panel after this one
  int64_t weight_lines;      // of it at each step
  const int32_t* sums;       // (sum_rows, outputs): where the block's sums go, as far as they are not fetched yet
  int64_t sum_rows;
  int64_t outputs;

  void step() {
    for (int64_t line = 0; line < weight_lines; ++line) {
      _mm_prefetch(reinterpret_cast<const char*>(weights), _MM_HINT_T1);
      weights += kLineBytes;
    }
    if (sum_rows == 0) return;
    // To be written: tile stores that have to fetch their lines hold up the next block.
    __builtin_prefetch(sums, 1);
    __builtin_prefetch(sums + kTileOutputs, 1);
    sums += outputs;
    --sum_rows;
  }
};

// One step of one block. kTall: more than 16 tokens.
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

// Leaves the sums of a block in tiles 0 to 3.
template <bool kTall>
void multiply_block(const uint8_t* x,        // (tokens, inputs)
                    const std::byte* panel,  // (panel_bytes)
                    int64_t tokens, int64_t inputs, Prefetch& prefetch) {
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
    prefetch.step();
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

// Copies the columns that there are out of the tiles of a panel that is narrower than 32 outputs.
template <bool kTall>
void store_narrow(int32_t* sums, int64_t tokens, int64_t columns, int64_t outputs) {
  alignas(64) int32_t block[kBlockTokens * kPanelOutputs];  // (tokens, kPanelOutputs)
  constexpr int64_t kStride = kPanelOutputs * sizeof(int32_t);
  _tile_stored(0, block, kStride);
  _tile_stored(1, block + kTileOutputs, kStride);
  if constexpr (kTall) {
    _tile_stored(2, block + kTileRows * kPanelOutputs, kStride);
    _tile_stored(3, block + kTileRows * kPanelOutputs + kTileOutputs, kStride);
  }
  for (int64_t t = 0; t < tokens; ++t) {
    __builtin_memcpy(sums + t * outputs, block + t * kPanelOutputs, columns * sizeof(int32_t));
  }
}

template <bool kTall>
void store_block(int32_t* sums, int64_t tokens, int64_t columns, int64_t outputs) {
  if (columns < kPanelOutputs) return store_narrow<kTall>(sums, tokens, columns, outputs);
  const int64_t stride = outputs * sizeof(int32_t);
  _tile_stored(0, sums, stride);
  _tile_stored(1, sums + kTileOutputs, stride);
  if constexpr (kTall) {
    _tile_stored(2, sums + kTileRows * outputs, stride);
    _tile_stored(3, sums + kTileRows * outputs + kTileOutputs, stride);
  }
}

}  // namespace

// A panel is read from memory once, and from the second-level cache for every further block of tokens.
void multiply_panels(const uint8_t* x, const std::byte* packed, int32_t* sums, int64_t tokens, int64_t first,
                     int64_t last, int64_t outputs, int64_t inputs) {
  const int64_t bytes = panel_bytes(inputs);
  const int64_t blocks = (tokens + kBlockTokens - 1) / kBlockTokens;
  constexpr int64_t kStepLines = 2 * kTileBytes / kLineBytes;
  // A single block waits for its weights whatever one does, and the CPU's own prefetching is best at that.
  const int64_t lines_ahead = blocks == 1 ? 0 : (kStepLines + blocks - 1) / blocks;
  int64_t configured = 0;
  for (int64_t p = first; p < last; ++p) {
    const std::byte* panel = packed + p * bytes;
    const int64_t output = p * kPanelOutputs;
    const int64_t columns = outputs - output < kPanelOutputs ? outputs - output : kPanelOutputs;
    Prefetch prefetch{panel + bytes, p + 1 < last ? lines_ahead : 0, nullptr, 0, outputs};
    for (int64_t t = 0; t < tokens; t += kBlockTokens) {
      const int64_t there = tokens - t < kBlockTokens ? tokens - t : kBlockTokens;
      if (there != configured) configure(configured = there);
      int32_t* block_sums = sums + t * outputs + output;
      prefetch.sums = block_sums;
      prefetch.sum_rows = there;
      if (there > kTileRows) {
        multiply_block<true>(x + t * inputs, panel, there, inputs, prefetch);
        store_block<true>(block_sums, there, columns, outputs);
      } else {
        multiply_block<false>(x + t * inputs, panel, there, inputs, prefetch);
        store_block<false>(block_sums, there, columns, outputs);
      }
    }
  }
  _tile_release();
}

}  // namespace saferoute::cpu::amx
