// What a pair of guards on the device is made from. Plain C++, no header of CUDA: the addon fills it in.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cuda/gpu_budget.h"
#include "cuda/precision.h"
#include "model/model_spec.h"
#include "model/tensor_table.h"
#include "router/network.h"

namespace saferoute::cuda {

struct RouterSource {
  std::vector<std::string> paths;
  std::vector<model::TensorEntry> entries;
  std::vector<router::LayerNames> layers;
};

struct GuardSource {
  model::ModelSpec spec;
  std::vector<std::string> paths;
  std::vector<model::TensorEntry> entries;
  std::vector<int32_t> verdict_ids;     // (verdict_tokens)
  std::vector<uint8_t> verdict_unsafe;  // (verdict_tokens)
  std::optional<RouterSource> router;
  Precision precision = Precision::kBf16;
  uint64_t kv_bytes = 256ull << 20;  // budget for keys and values
};

struct PairSource {
  GuardSource small;
  std::optional<GuardSource> large;
  GpuLimit gpu_limit;           // device memory that both guards together may take
  int32_t batch_tokens = 1024;  // most that the engine cuts into one pass
  int32_t batch_rows = 256;
};

}  // namespace saferoute::cuda
