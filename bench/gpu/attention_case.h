// Attention alone, at the shapes that guards ask for. attention_reference.py times PyTorch's at those of them that it
// can compute.
#pragma once

#include <vector>

#include "gpu/results.h"

namespace saferoute::bench {

// Each figure's name says how many GFLOP its launch computes: 4 * head_dim for each pair of a query and a key it sees.
std::vector<Figure> run_attention_case();

}  // namespace saferoute::bench
