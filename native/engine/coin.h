// Coins that fall the same way whenever the same request is submitted in the same place.
#pragma once

#include <cstdint>

namespace saferoute::engine {

// What a coin is thrown for. Each purpose has coins of its own, or requests that one seed spares for one purpose would
// be the ones that it never picks for another.
enum class CoinPurpose : uint64_t { kRandomRule, kAudit, kTie };

// A number in [0, 1) for the request of this number in the order of submission.
double throw_coin(CoinPurpose purpose, uint64_t seed, uint64_t sequence);

}  // namespace saferoute::engine
