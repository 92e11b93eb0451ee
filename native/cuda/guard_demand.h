// What a guard asks of a device's memory, before anything of its weights is read. Plain C++, no header of CUDA.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cuda/guard_source.h"
#include "cuda/router_layout.h"
#include "model/model_spec.h"

namespace saferoute::cuda {

struct GuardDemand {
  std::string name;  // "small", "large", "guard": as errors and tables call it
  model::ModelSpec spec;
  Precision precision = Precision::kBf16;
  int32_t verdict_tokens = 2;
  RouterLayout router;          // empty: none
  int32_t batch_tokens = 1024;  // most that a pass computes
  int32_t batch_rows = 256;
  uint64_t kv_bytes = 256ull << 20;  // for keys and values. Less where memory is short, though a pass's worth at least;
                                     // more where there is room, up to what the longest prompt takes
};

// Of the small guard, then of the large one where there is one. Reads the router's file; throws Error(kCheckpoint |
// kUnsupported | kNotFinite) for what it or a spec holds.
std::vector<GuardDemand> demands_of(const PairSource& source);

}  // namespace saferoute::cuda
