// Picks the hardest share of what passes by, whatever its scores look like.
#pragma once

#include <cstdint>
#include <optional>

#include "engine/rank_window.h"
#include "engine/rate_window.h"

namespace saferoute::engine {

// A row is picked where its randomised rank among the rows before it, (above + coin * (equal + 1)) / (rows + 1), is
// below the share. For rows in no particular order that rank is uniform on [0, 1), ties or not, so each row is picked
// with exactly that chance, from the first one on. Where scores climb from row to row the ranks are all low: therefore
// no `window` rows in a row ever hold more than `limit` picks, share * window and three standard deviations of chance.
//
// O(log window) for a row. Guarded by the scheduler's mutex.
class EscalationBudget {
 public:
  // `share` 0 to 1; `window` rows, at least 1.
  EscalationBudget(double share, int32_t window);

  // `coin` in [0, 1) breaks ties.
  bool picks(double score, double coin);

  // The score above which a row is picked now; nothing before the first row.
  std::optional<double> threshold() const;

  int32_t limit() const { return limit_; }

 private:
  const double share_;
  const int32_t limit_;
  RankWindow scores_;
  RateWindow picked_;
};

}  // namespace saferoute::engine
