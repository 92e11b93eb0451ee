// guard_head alone: one launch for final norm, verdict rows and the whole router.
#pragma once

#include <vector>

#include "gpu/results.h"

namespace saferoute::bench {

// The network of the model card on features of 2048, at 1 to 256 rows.
std::vector<Figure> run_head_case();

}  // namespace saferoute::bench
