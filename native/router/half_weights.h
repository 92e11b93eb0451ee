// A router's weights in half precision, for guards that are rounded themselves: they are half as long to read, and
// reading them is what a router's time goes into.
#pragma once

#include "router/network.h"

namespace saferoute::router {

// A layer keeps its f32 weights where rounding would move them by more than this, root mean square over root mean
// square: where some are beyond the range of halves, or nearly all are too small for them. Weights in the middle of the
// range move by 1.5e-4 to 2e-4.
inline constexpr double kMaxHalfError = 0x1p-11;

// Replaces `weight` by `half_weight` in every layer that halves can hold.
void store_in_halves(Network& network);

}  // namespace saferoute::router
