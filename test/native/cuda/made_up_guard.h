// Guards of real shapes with random weights, written to disk as raw bf16 tensors: speed does not depend on what a guard
// has learnt, but it does on numbers being there, since multiplying zeros is faster.
#pragma once

#include <string>

#include "cuda/guard_source.h"

namespace saferoute::test {

// Writes `name`.bin to `folder`, unless it is there in full size, and says how to load it. `router`: with the network
// of the model card (2048, 1024, 512, 256, 1), batch norms folded.
cuda::GuardSource made_up_guard(const std::string& folder, const std::string& name, const model::ModelSpec& spec,
                                bool router);

}  // namespace saferoute::test
