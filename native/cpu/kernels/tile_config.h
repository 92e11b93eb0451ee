// What the kernels on the tile unit share: how tiles are told their sizes.
#pragma once

#include <cstdint>

#include <immintrin.h>

namespace saferoute::cpu::amx {

inline constexpr int64_t kTileRows = 16;
inline constexpr int64_t kTileRowBytes = 64;

// The operand of ldtilecfg, as the architecture lays it out.
struct alignas(64) TileConfig {
  uint8_t palette = 1;
  uint8_t start_row = 0;
  uint8_t reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// The compilers' tile intrinsics do not all say which memory they read; what was stored before must have happened.
inline void settle_stores() { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

inline void load_config(const TileConfig& config) {
  settle_stores();
  _tile_loadconfig(&config);
}

}  // namespace saferoute::cpu::amx
