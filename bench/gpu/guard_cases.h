// Whole guards of Llama Guard 3's shapes behind the engine, and both of them in one graph.
#pragma once

#include <string>

#include "cuda/precision.h"
#include "gpu/results.h"

namespace saferoute::bench {

struct GuardCases {
  std::string folder;     // for checkpoints that are made up: 19 GB
  std::string histogram;  // message-lengths.json
  cuda::Precision precision = cuda::Precision::kBf16;
  double peak = 0;  // TFLOP/s of a large product in bf16, see gemm_case.h: what FP8 is held against too
  int32_t rounds = 3;
};

// One check after another by the small guard, its template's head cached; then 1,680 messages at once: by the small
// guard, by the large one, and by the small one with a fifth going on to the large one; then a batch of 32 as one
// graph, and what full passes reach of the peak.
void run_guard_cases(const GuardCases& cases, const Report& report);

}  // namespace saferoute::bench
