// A guard on ONNX Runtime's CPU provider: the decoder graph is built in memory from a ModelSpec and a tensor table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "model/model_spec.h"
#include "model/tensor_table.h"
#include "model/weight_cache.h"
#include "router/network.h"

namespace saferoute::ort {

struct RouterSource {
  std::vector<std::string> paths;
  std::vector<model::TensorEntry> entries;
  std::vector<router::LayerNames> layers;
};

enum class Precision {
  kF32,
  kInt8,  // weights per output channel, activations per token; everything between two GEMMs in f32, but attention in
          // bf16 where the CPU has a tile unit for it
};

// Everything a guard is loaded from; nothing here refers to the caller's memory.
struct GuardSource {
  model::ModelSpec spec;
  std::vector<std::string> paths;  // of the checkpoint's tensor files
  std::vector<model::TensorEntry> entries;
  std::vector<int32_t> verdict_ids;     // (verdict_tokens)
  std::vector<uint8_t> verdict_unsafe;  // (verdict_tokens)
  std::optional<RouterSource> router;
  Precision precision = Precision::kF32;
  std::optional<model::WeightCachePlan> weight_cache;  // kInt8: where converted weights are kept; empty: nowhere
  int32_t batch_tokens = 1024;                         // most that the engine cuts into one pass
  uint64_t kv_bytes = 256ull << 20;                    // budget for keys and values; at least a page is had
  bool library_products = false;                       // kInt8: ONNX Runtime's GEMM even where this CPU has tiles
  uint64_t memory_limit_bytes = 0;                     // 0: what the machine has available
};

// Where the private ONNX Runtime library lies, and how many threads all guards of the process share.
struct RuntimeOptions {
  std::string library_path;
  int32_t threads = 0;  // 0: one per core that this process may use. The first engine of the process decides.
};

// Returned factory: call it on the lane's thread. Throws Error(kMemory) where the estimate exceeds the limit,
// Error(kCheckpoint | kNotFinite | kUnsupported) for what the files hold, Error(kBackend) where the library fails.
engine::BackendFactory make_ort_backend_factory(RuntimeOptions runtime, GuardSource source);

// Bits of an int8 weight on this CPU: 8, or 7 where the library's integer product saturates.
int32_t int8_weight_bits();

// "1.30.0": loads the library if it is not loaded yet. Throws Error(kBackend).
std::string runtime_version(const std::string& library_path);

}  // namespace saferoute::ort
