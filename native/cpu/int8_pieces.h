// How a product on the tile unit is cut into pieces of work.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/kernels/int8_tiles.h"
#include "cpu/parallel_for.h"

namespace saferoute::cpu {

inline int64_t divide_up(int64_t value, int64_t by) { return (value + by - 1) / by; }

// Calls body(first_token, tokens, first_panel, last_panel) for each piece of (tokens, inputs) times `panels` panels.
template <typename F>
void for_pieces(ParallelFor parallel_for, int64_t tokens, int64_t panels, int64_t inputs, F&& body) {
  // Small, so that many threads find a piece, but several panels where a panel is small, so that they can be fetched
  // ahead.
  constexpr int64_t kPieceBytes = 256 << 10;
  // Of activations in a piece: half of a second-level cache of 2 MiB, which also holds the panel at hand and the next.
  constexpr int64_t kCachedBytes = 1 << 20;
  constexpr int64_t kTokenGrain = 32;
  if (tokens == 0) return;
  const int64_t most_rows = std::max(kTokenGrain, kCachedBytes / inputs / kTokenGrain * kTokenGrain);
  const int64_t slices = divide_up(tokens, most_rows);
  const int64_t rows = divide_up(divide_up(tokens, slices), kTokenGrain) * kTokenGrain;
  const int64_t piece_panels = divide_up(kPieceBytes, amx::panel_bytes(inputs));
  const int64_t pieces = divide_up(panels, piece_panels);
  parallel_for(static_cast<size_t>(slices * pieces), [&](size_t index) {
    const int64_t token = static_cast<int64_t>(index) / pieces * rows;
    const int64_t first = static_cast<int64_t>(index) % pieces * piece_panels;
    body(token, std::min(rows, tokens - token), first, std::min(first + piece_panels, panels));
  });
}

// Panels that are packed in one piece of work.
inline constexpr int64_t kPackPanels = 8;

}  // namespace saferoute::cpu
