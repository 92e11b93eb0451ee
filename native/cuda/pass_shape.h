// The sizes that a pass is launched with. A graph is captured for fixed ones, so a batch is raised to the next of a few
// sizes and filled up with padding. Plain C++, no header of CUDA.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "engine/backend.h"

namespace saferoute::cuda {

struct PassShape {
  int32_t tokens = 0;
  int32_t rows = 0;
  int32_t keys = 0;  // no row has more: tokens before and new ones

  auto operator<=>(const PassShape&) const = default;
};

// What a guard was loaded for.
struct PassLimits {
  int32_t tokens = 0;  // of a batch
  int32_t rows = 0;    // of a batch
  int32_t keys = 0;    // of a prompt

  // Pages of a batch, all rows together: their arrays are sized for it.
  int64_t pages() const;
};

// Up to here a pass of one guard is replayed from a graph: so few tokens keep the device busy for about as long as the
// host takes to launch them one kernel after another. Beyond, plain launches stay ahead of the device, and padding
// would only add to its work.
inline constexpr int32_t kMostGraphTokens = 1024;

PassShape shape_of(const engine::Batch& batch);

// The shape that a batch of `pass` is replayed at: tokens up to a quarter of their power of two above it, but at least
// in steps of 16; rows 1, 8, 64 or all; keys a power of two from 256 on. None exceeds its limit.
PassShape raised(const PassShape& pass, const PassLimits& limits);

// The shapes to capture at warm-up, most likely first: short prompts, alone and in full batches, with keys as a cached
// prefix of a few hundred tokens makes them.
std::vector<PassShape> warm_up_shapes(const PassLimits& limits);

// The shapes at which the large guard of a cascade may run, rising, where `all` is that of every row of the batch: an
// eighth of its tokens, a quarter, a half, all. The device takes the first that holds the hard rows.
std::vector<PassShape> cascade_branches(const PassShape& all, const PassLimits& limits);

}  // namespace saferoute::cuda
