// What the engine asks of a device: run one ragged batch through one guard. Implemented by ort/ and cuda/, faked in
// tests.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "engine/feature_router.h"

namespace saferoute::engine {

struct EscalationPlan;
struct CascadeReading;

// Tokens whose keys and values share a page.
inline constexpr int32_t kPageTokens = 16;

// A page of a guard's keys and values, all layers together. Ids below GuardInfo::kv_pages are within its budget; those
// from there on are for a prompt that alone needs more than the budget, and exist until release_overflow().
using PageId = int32_t;

struct PageCopy {
  PageId from = 0;
  PageId to = 0;
};

// What is new of every prompt, back to back, without padding. Page p of a row holds the keys and values of its prompt's
// tokens [p * kPageTokens, (p + 1) * kPageTokens); no two rows write the same page.
struct Batch {
  std::vector<int32_t> tokens;        // (batch_tokens): to be computed
  std::vector<int32_t> row_offsets;   // (rows + 1): row r is tokens[row_offsets[r] .. row_offsets[r + 1])
  std::vector<int32_t> row_starts;    // (rows): tokens of the prompt before these, whose keys and values stand in pages
  std::vector<PageId> pages;          // of row r: pages[page_offsets[r] .. page_offsets[r + 1]), as many as its start
                                      // and its new tokens fill
  std::vector<int32_t> page_offsets;  // (rows + 1)
  std::vector<PageCopy> copies;       // made before the pass
  bool want_features = false;

  int32_t rows() const { return static_cast<int32_t>(row_offsets.size()) - 1; }
};

// What one forward pass says of the last token of every row. A row's reading does not depend on the rest of its batch,
// nor on how many of its tokens were computed in passes before.
struct BatchReading {
  std::vector<float> logits;    // (rows, verdict_tokens): lm_head rows of the verdict tokens at the last position
  std::vector<float> hardness;  // (rows): sigmoid of the router's output; empty where the guard carries no router
  std::vector<float> features;  // (rows, hidden_size): last token after the final norm; empty unless asked for
};

// What became of a file of converted weights.
struct WeightCacheOutcome {
  enum class Kind { kNone, kRead, kWritten, kUnusable };
  Kind kind = Kind::kNone;
  std::string warning;  // kUnusable: why
};

// A part of the memory of its own device that a guard was given at load.
struct DeviceRegion {
  std::string purpose;      // "layers", "keys and values" and so on
  uint64_t bytes = 0;       // set aside
  uint64_t used_bytes = 0;  // of these, that hold something or will in every pass
};

// Facts that the engine needs of a loaded guard, and those that its callers ask for.
struct GuardInfo {
  int32_t hidden_size = 0;
  int32_t vocab_size = 0;     // ids run from 0 to vocab_size - 1; the engine refuses others before they reach a batch
  int32_t max_positions = 0;  // context length, tokens
  std::vector<uint8_t> verdict_unsafe;  // (verdict_tokens): 1 where the token means unsafe, 0 where it means safe
  bool has_router = false;
  std::shared_ptr<const FeatureRouter> feature_router;  // null where only Backend::route asks it: where there is none,
                                                        // where it is elsewhere, or too large to keep a caller waiting
  bool cascades = false;      // of a small guard: Backend::cascade runs the large one behind it
  uint64_t weight_bytes = 0;  // resident bytes of the loaded weights
  int32_t kv_pages = 0;       // within the budget for keys and values; at least 1
  uint64_t page_bytes = 0;
  WeightCacheOutcome weight_cache;
  std::vector<DeviceRegion> device_memory;  // empty where the guard lives in the host's memory
  uint64_t pinned_bytes = 0;                // of host memory, where a guard's weights are streamed from it
  std::string memory_notice;                // what the caller should hear of it: what is smaller than asked; "" nothing
};

// Made, used and destroyed on its lane's thread.
class Backend {
 public:
  virtual ~Backend() = default;
  virtual const GuardInfo& info() const = 0;

  // Runs `batch`. A stop request, from any thread, ends the pass at the next opportunity with Error(kAborted).
  // Throws Error(kBackend) if the device fails.
  virtual BatchReading forward(const Batch& batch, std::stop_token stop) = 0;

  // Runs `small` through this guard and then, on the device, the rows that are hard by `plan` through the large one.
  // Row r of `large` is row r of `small` as the large guard would read it, with its pages; without tokens where the
  // plan forbids it. The large guard's lane rests meanwhile. See GuardInfo::cascades; throws Error(kUnsupported)
  // without.
  virtual CascadeReading cascade(const Batch& small, const Batch& large, const EscalationPlan& plan,
                                 std::stop_token stop);

  // Frees the memory of pages from GuardInfo::kv_pages on.
  virtual void release_overflow() = 0;

  // Hardness of one feature (hidden_size) by the guard's router. Throws Error(kUnsupported) without one.
  virtual float route(std::span<const float> feature) = 0;
};

// Called once on the lane's own thread; what it throws fails the load. A stop request (the engine is closed, or the
// other guard failed to load) ends the load at the next opportunity with Error(kAborted).
using BackendFactory = std::function<std::unique_ptr<Backend>(std::stop_token stop)>;

}  // namespace saferoute::engine
