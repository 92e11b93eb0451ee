// The cascade: two lanes (small guard, large guard), each a bounded queue and a thread that owns its backend, behind
// one mutex. Thread-safe. Knows nothing of Node, ONNX Runtime or CUDA.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/backend.h"
#include "engine/escalation.h"
#include "engine/request.h"
#include "engine/valves.h"

namespace saferoute::engine {

struct EngineOptions {
  EscalationRule escalation;
  ValveOptions valves;
  double unsafe_at = 0.5;         // a score above this is unsafe: what audits are compared by
  int32_t queue_requests = 1024;  // requests queued or running; one more is refused with kOverloaded
  int32_t batch_tokens = 1024;    // budget of one pass; a longer prompt takes several
  int32_t batch_rows = 256;
  double batch_ms = 250;     // a pass of the large guard is cut so that it is predicted to take no longer, but never
                             // below 128 tokens
  double max_wait_ms = 100;  // a hard row waits no longer for others to share its pass with, and a bulk request no
                             // longer behind interactive ones, or for half of the time to its deadline; and what has
                             // waited for so long goes first in every second pass, whatever the others' deadlines
};

struct LaneStats {
  uint64_t queued = 0;         // requests waiting now
  uint64_t running = 0;        // rows in the pass in flight; of a cascade's, those that the large guard may read
  uint64_t batches = 0;        // passes since load
  uint64_t rows = 0;           // of all passes; a prompt that takes several counts in each
  uint64_t tokens = 0;         // computed
  uint64_t cached_tokens = 0;  // found in the prefix cache instead
  uint64_t budget_tokens = 0;  // that the passes had room for: tokens / budget_tokens is their fill
  uint64_t evicted_pages = 0;
  int32_t kv_pages = 0;       // within the budget
  int32_t kv_pages_used = 0;  // that hold a prefix or belong to a pass
};

// Of the requests that were settled since load, milliseconds; 0 where there were none. Within 5 % of the exact value.
struct LatencyStats {
  uint64_t count = 0;
  double p50_ms = 0;
  double p95_ms = 0;
  double p99_ms = 0;
};

// Route jobs count like requests: submitted = completed + failed + cancelled + those queued or running.
struct EngineStats {
  LaneStats small;
  LaneStats large;
  uint64_t submitted = 0;
  uint64_t completed = 0;
  uint64_t escalated = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  ValveStats valves;
  LatencyStats queue_latency;  // in both queues together
  LatencyStats small_latency;  // of the small guard's passes, as each request saw them
  LatencyStats large_latency;
  LatencyStats total_latency;  // from submit to settlement
};

// Called on lane threads, never under the engine's mutex and never for a ticket after it was settled or cancelled.
// Must not throw.
using EventSink = std::function<void(Event&&)>;

class Engine {
 public:
  // Starts the lanes; each builds its backend on its own thread. `large` may be empty: then the rule must be kNever
  // without audits, and Target::kLarge is refused. `on_ready` is called once, from a lane's thread: with null when
  // every lane stands, else with the first failure (kClosed if the engine is closed while it loads), after which the
  // engine is closed. Throws Error(kInvalidArgument) for options outside their range, std::system_error where the
  // machine gives no thread; `on_ready` may then have been called already.
  using ReadyCallback = std::function<void(const Error* failure)>;
  Engine(BackendFactory small, BackendFactory large, EngineOptions options, EventSink sink, ReadyCallback on_ready);
  ~Engine();  // close()
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Valid after on_ready(null).
  const GuardInfo& small_info() const;
  const GuardInfo* large_info() const;  // null without a large guard

  // Throws Error(kOverloaded | kClosed | kContextLength | kInvalidArgument); never blocks.
  Ticket submit(Request request);

  // Hardness of one feature (hidden_size) by the small guard's router. Throws as `submit`, and Error(kUnsupported)
  // without a router.
  Ticket route(std::vector<float> feature);

  // The same on the calling thread, in about the time that handing the feature to the lane and its answer back would
  // take, and whatever the lane is doing. Nothing where the router cannot be asked so: then `route` can. Throws
  // Error(kClosed | kInvalidArgument | kUnsupported | kNotFinite). Counts like a request that waits nowhere.
  std::optional<double> route_here(std::span<const float> feature);

  // Drops the ticket wherever it waits; no event of it is delivered after the return, except one already being
  // delivered. A forward pass is interrupted only once every row of it has been cancelled. Returns false if it was
  // settled before.
  bool cancel(Ticket ticket);

  // Refuses new work, fails what is queued or running with kClosed, joins the lanes and frees the backends. Idempotent,
  // callable from any thread but a lane's.
  void close();

  EngineStats stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace saferoute::engine
