// A batch through both guards without the host in between: what the device is told beforehand, and what it answers.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/backend.h"

namespace saferoute::engine {

// What was decided about a row before anything read it.
enum class RowRule : uint8_t {
  kByHardness,  // the large guard reads it where hardness > EscalationPlan::threshold
  kForced,      // the large guard reads it
  kForbidden,   // the large guard does not
};

struct EscalationPlan {
  double threshold = 0.5;
  std::vector<RowRule> rows;  // (rows of the batch)
};

struct CascadeReading {
  BatchReading small;
  std::vector<int32_t> hard_rows;  // rising: of the batch, the rows that the large guard has read
  BatchReading large;              // (hard_rows)
};

}  // namespace saferoute::engine
