// What of a load's guards lies where on a device, decided before anything is allocated. Plain arithmetic on shapes: it
// can be asked on a machine that has no GPU. No header of CUDA.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cuda/gpu_budget.h"
#include "cuda/guard_demand.h"
#include "cuda/pass_buffers.h"
#include "cuda/weight_layout.h"

namespace saferoute::cuda {

// Workspace of cuBLASLt, of each guard: what its fastest algorithms on Hopper ask for.
inline constexpr uint64_t kWorkspaceBytes = 32ull << 20;

// Left to the driver for each guard's graphs: a graph of a 32-layer pass takes about half a MiB, and there are some
// dozens of shapes.
inline constexpr uint64_t kGraphBytes = 64ull << 20;

// What a guard's part of the reservation is for, in the order in which the parts lie.
enum class Purpose {
  kLayers,     // weights of the layers that stand
  kSlots,      // for the layers that are copied while a pass runs
  kHead,       // final norm, verdict rows, router, rope's frequencies
  kEmbedding,  // the table, unless it lies in host memory
  kKvPages,
  kPass,       // see PassBuffers
  kWorkspace,  // of cuBLASLt
};
inline constexpr size_t kPurposes = 7;

// "layers", "stream slots", "head", "embedding", "keys and values", "pass", "workspace"
const char* purpose_name(Purpose purpose);

struct Region {
  uint64_t offset = 0;  // bytes from the start of the reservation
  uint64_t bytes = 0;
};

struct GuardPlan {
  GuardDemand demand;
  LayerLayout layer;
  HeadLayout head;
  PassBuffers pass;
  int32_t streamed_layers = 0;     // that lie in pinned host memory and are copied in every pass
  int32_t stream_slots = 0;        // on the device, of a layer each
  bool embedding_on_host = false;  // then it lies in pinned memory, and a pass reads a row to a token of it
  int32_t kv_pages = 0;
  uint64_t page_bytes = 0;
  std::array<Region, kPurposes> regions;  // by Purpose

  const Region& region(Purpose purpose) const { return regions[static_cast<size_t>(purpose)]; }
  uint64_t device_bytes() const;   // of all regions
  uint64_t pinned_bytes() const;   // of host memory
  int64_t longest_prompt() const;  // tokens: what the pages hold, at most the context
};

struct MemoryRequest {
  std::vector<GuardDemand> guards;  // one, or the small and the large one
  GpuBudget budget;
  uint64_t host_bytes = 0;  // of host memory that may be pinned
};

struct MemoryPlan {
  std::vector<GuardPlan> guards;
  GpuBudget budget;
  uint64_t host_bytes = 0;   // that may be pinned
  uint64_t arena_bytes = 0;  // one reservation
  uint64_t graph_bytes = 0;  // of all guards, on top of it
  std::string notice;        // what the caller should hear: what is smaller than asked, or streamed; "" for nothing

  uint64_t device_bytes() const { return arena_bytes + graph_bytes; }
  uint64_t pinned_bytes() const;
  bool fits() const { return device_bytes() <= budget.bytes && pinned_bytes() <= host_bytes; }
};

// The plan by the first of these that fits: everything on the device; the same with fewer pages of keys and values; the
// last guard's embedding and as few of its layers as possible in host memory. What is left beyond what was asked goes
// half to keys and values, so that longer prompts fit, and half to nobody, for a load to come. Where nothing fits, the
// last plan tried, whose fits() is false. Throws Error(kInvalidArgument) for no guard or more than two.
MemoryPlan plan_memory(const MemoryRequest& request);

// Throws Error(kMemory) with the whole plan in its message unless it fits.
void require_fits(const MemoryPlan& plan);

}  // namespace saferoute::cuda
