#include "cuda/backend.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "cuda/cascade_graph.h"
#include "cuda/check.h"
#include "cuda/graph_cache.h"
#include "cuda/hard_rows.h"
#include "cuda/stream.h"
#include "engine/device_cascade.h"
#include "engine/error.h"

namespace saferoute::cuda {
namespace {

void check_stop(const std::stop_token& stop, const char* what) {
  if (stop.stop_requested()) throw Error(ErrorCode::kAborted, std::string("the ") + what + " was stopped");
}

int32_t current_device() {
  int device = 0;
  check(cudaGetDevice(&device), "asking for the current device");
  return device;
}

// Streams are made on the device that is the thread's when they are.
std::shared_ptr<DeviceArena> made_current(std::shared_ptr<DeviceArena> arena) {
  check(cudaSetDevice(arena->device()), "choosing a device");
  return arena;
}

class CudaBackend final : public engine::Backend {
 public:
  CudaBackend(const GuardSource& source, std::shared_ptr<DeviceArena> arena, GuardRole role,
              std::shared_ptr<LargeGuardPlace> large, std::stop_token stop);
  ~CudaBackend() override { stream_.drain(); }

  const engine::GuardInfo& info() const override { return info_; }
  engine::BatchReading forward(const engine::Batch& batch, std::stop_token stop) override;
  engine::CascadeReading cascade(const engine::Batch& small, const engine::Batch& large,
                                 const engine::EscalationPlan& plan, std::stop_token stop) override;
  void release_overflow() override {}  // no page is ever beyond the budget
  float route(std::span<const float> feature) override;

 private:
  // Until a pass is over, also by an exception, nothing that it uses is touched again.
  struct PassEnd {
    const Stream& stream;
    ~PassEnd() { stream.drain(); }
  };

  void warm_up(const std::stop_token& stop);
  void describe(const GuardSource& source);
  void capture_pass(const PassShape& shape);
  void capture_aside(const std::function<void()>& capture);
  void replay(const Graph& graph, const CascadeShape& shape, const CascadeInputs& inputs, LoadedGuard& large);
  void step_by_step(const CascadeShape& shape, const CascadeInputs& inputs, LoadedGuard& large,
                    engine::CascadeReading& reading, const std::stop_token& stop);
  engine::CascadeReading replayed_reading(const CascadeInputs& inputs, const LoadedGuard& large);

  const std::shared_ptr<DeviceArena> arena_;
  const size_t guard_index_;
  const GuardRole role_;
  const std::shared_ptr<LargeGuardPlace> place_;
  // Each of the following is used by those before it; the guard is shared with the other guard's backend.
  std::shared_ptr<LoadedGuard> guard_;
  Stream stream_;
  Stream body_stream_;  // only ever captures
  GraphCache<PassShape> passes_;
  GraphCache<CascadeShape> cascades_;
  bool captures_ = true;
  engine::GuardInfo info_;
};

CudaBackend::CudaBackend(const GuardSource& source, std::shared_ptr<DeviceArena> arena, GuardRole role,
                         std::shared_ptr<LargeGuardPlace> large, std::stop_token stop)
    : arena_(made_current(std::move(arena))),
      guard_index_(role == GuardRole::kSmall ? 0 : 1),
      role_(role),
      place_(std::move(large)),
      guard_(std::make_shared<LoadedGuard>(source, arena_, guard_index_, stop)) {
  warm_up(stop);
  describe(source);
  if (role_ == GuardRole::kLarge) place_->put(guard_);
}

// A full pass of made-up tokens, so that algorithms are timed on numbers as they come; then the graphs of short passes.
// The pages that it writes hold no prompt yet.
void CudaBackend::warm_up(const std::stop_token& stop) {
  const PassLimits& limits = guard_->limits();
  const auto tokens = static_cast<int32_t>(std::min<int64_t>(limits.tokens, guard_->plan().longest_prompt()));
  const engine::Batch batch = made_up_batch(tokens, guard_->decoder().spec().vocab_size);
  guard_->check(batch);
  const PassShape shape = shape_of(batch);
  guard_->upload(batch, shape, stream_.get());
  guard_->launch(guard_->view(shape), shape.keys, HardRule(), stop, stream_.get());
  stream_.wait();
  guard_->tune(stop, stream_.get());
  if (!guard_->is_resident()) return;
  for (const PassShape& warm : warm_up_shapes(limits)) {
    check_stop(stop, "load");
    capture_pass(warm);
  }
  stream_.wait();
}

void CudaBackend::describe(const GuardSource& source) {
  const GuardPlan& plan = guard_->plan();
  info_.hidden_size = source.spec.hidden_size;
  info_.vocab_size = source.spec.vocab_size;
  info_.max_positions = source.spec.max_positions;
  info_.verdict_unsafe = source.verdict_unsafe;
  info_.has_router = guard_->has_router();
  const MemoryPlan& pair = arena_->plan();
  info_.cascades = role_ == GuardRole::kSmall && pair.guards.size() == 2 && can_cascade(pair.guards[0], pair.guards[1]);
  info_.weight_bytes = plan.region(Purpose::kLayers).bytes + plan.region(Purpose::kHead).bytes +
                       plan.region(Purpose::kEmbedding).bytes + plan.pinned_bytes();
  info_.kv_pages = plan.kv_pages;
  info_.page_bytes = plan.page_bytes;
  info_.device_memory = arena_->report(guard_index_);
  info_.pinned_bytes = plan.pinned_bytes();
  info_.memory_notice = pair.notice;
}

void CudaBackend::capture_pass(const PassShape& shape) {
  passes_.add(shape, Graph::capture(stream_.get(), [&] {
                guard_->launch(guard_->view(shape), shape.keys, HardRule(), {}, stream_.get());
                guard_->download(stream_.get());
              }));
}

// While a pass is under way, which needs no graph: where one can't be had, such as for want of memory, passes of its
// shape go on without, and nothing more is tried.
void CudaBackend::capture_aside(const std::function<void()>& capture) {
  if (!captures_) return;
  try {
    capture();
  } catch (const Error&) {
    captures_ = false;
  }
}

// A shape that no graph stands for is launched kernel by kernel, and its graph is captured while the device computes.
engine::BatchReading CudaBackend::forward(const engine::Batch& batch, std::stop_token stop) {
  check_stop(stop, "pass");
  guard_->check(batch);
  const PassShape exact = shape_of(batch);
  const PassShape graph_shape = raised(exact, guard_->limits());
  const bool replays = guard_->is_resident() && exact.tokens <= kMostGraphTokens;
  const Graph* const graph = replays ? passes_.find(graph_shape) : nullptr;
  const PassShape& shape = graph ? graph_shape : exact;
  const PassEnd end{stream_};
  guard_->upload(batch, shape, stream_.get());
  if (graph) {
    graph->launch(stream_.get());
  } else {
    guard_->launch(guard_->view(shape), shape.keys, HardRule(), stop, stream_.get());
    guard_->download(stream_.get());
  }
  if (batch.want_features) guard_->download_features(batch.rows(), stream_.get());
  if (replays && !graph) capture_aside([&] { capture_pass(graph_shape); });
  stream_.wait();
  return guard_->read(batch.rows(), batch.want_features);
}

void CudaBackend::replay(const Graph& graph, const CascadeShape& shape, const CascadeInputs& inputs,
                         LoadedGuard& large) {
  guard_->upload(inputs.small, shape.small, stream_.get());
  large.upload(inputs.large, shape.large, stream_.get());
  guard_->upload_rule(inputs.threshold, inputs.plan, stream_.get());
  graph.launch(stream_.get());
  if (inputs.small.want_features) guard_->download_features(inputs.small.rows(), stream_.get());
  if (inputs.large.want_features) large.download_features(inputs.large.rows(), stream_.get());
  stream_.wait();
}

engine::CascadeReading CudaBackend::replayed_reading(const CascadeInputs& inputs, const LoadedGuard& large) {
  const CompactionCounts& counts = large.counts();
  if (counts.left_out != 0 || counts.rows > inputs.small.rows()) {
    throw Error(ErrorCode::kBackend, "a cascade left out " + std::to_string(counts.left_out) + " hard rows and took " +
                                         std::to_string(counts.rows) + " of " + std::to_string(inputs.small.rows()));
  }
  const std::span<const int32_t> taken = large.taken(counts.rows);
  return {.small = guard_->read(inputs.small.rows(), inputs.small.want_features),
          .hard_rows = {taken.begin(), taken.end()},
          .large = large.read(counts.rows, inputs.large.want_features && counts.rows > 0)};
}

// The same with the host in between, where no graph stands for the shape yet; the graph is captured while the device
// computes the large guard's part, or nothing.
void CudaBackend::step_by_step(const CascadeShape& shape, const CascadeInputs& inputs, LoadedGuard& large,
                               engine::CascadeReading& reading, const std::stop_token& stop) {
  const PassShape small_shape = shape_of(inputs.small);
  guard_->upload(inputs.small, small_shape, stream_.get());
  guard_->launch(guard_->view(small_shape), small_shape.keys, HardRule(), stop, stream_.get());
  guard_->download(stream_.get());
  if (inputs.small.want_features) guard_->download_features(inputs.small.rows(), stream_.get());
  stream_.wait();
  reading.small = guard_->read(inputs.small.rows(), inputs.small.want_features);
  reading.hard_rows = pick_hard_rows(reading.small.hardness, inputs);
  const engine::Batch hard = rows_of(inputs.large, reading.hard_rows);
  if (!reading.hard_rows.empty()) {
    const PassShape large_shape = shape_of(hard);
    large.upload(hard, large_shape, stream_.get());
    large.launch(large.view(large_shape), large_shape.keys, HardRule(), stop, stream_.get());
    large.download(stream_.get());
    if (hard.want_features) large.download_features(hard.rows(), stream_.get());
  }
  capture_aside(
      [&] { cascades_.add(shape, capture_cascade(*guard_, large, shape, stream_.get(), body_stream_.get())); });
  stream_.wait();
  if (!reading.hard_rows.empty()) reading.large = large.read(hard.rows(), hard.want_features);
}

engine::CascadeReading CudaBackend::cascade(const engine::Batch& small, const engine::Batch& large,
                                            const engine::EscalationPlan& plan, std::stop_token stop) {
  check_stop(stop, "pass");
  const std::shared_ptr<LoadedGuard> other = info_.cascades ? place_->get() : nullptr;
  if (!other) return Backend::cascade(small, large, plan, std::move(stop));
  guard_->check(small);
  if (!large.tokens.empty()) other->check(large);
  const CascadeInputs inputs = cascade_inputs(small, large, plan);
  if (large.tokens.empty()) return {.small = forward(small, std::move(stop)), .hard_rows = {}, .large = {}};
  const CascadeShape shape{.small = raised(shape_of(small), guard_->limits()),
                           .large = raised(shape_of(large), other->limits())};
  const PassEnd end{stream_};
  if (const Graph* const graph = cascades_.find(shape)) {
    replay(*graph, shape, inputs, *other);
    return replayed_reading(inputs, *other);
  }
  engine::CascadeReading reading;
  step_by_step(shape, inputs, *other, reading, stop);
  return reading;
}

float CudaBackend::route(std::span<const float> feature) {
  if (!info_.has_router) throw Error(ErrorCode::kUnsupported, "this guard carries no router");
  if (std::cmp_not_equal(feature.size(), info_.hidden_size)) {
    throw Error(ErrorCode::kInvalidArgument, "a feature of this guard has " + std::to_string(info_.hidden_size) +
                                                 " values, not " + std::to_string(feature.size()));
  }
  const PassEnd end{stream_};
  return guard_->route(feature, stream_.get());
}

}  // namespace

void LargeGuardPlace::put(const std::shared_ptr<LoadedGuard>& guard) {
  const std::lock_guard lock(mutex_);
  guard_ = guard;
}

std::shared_ptr<LoadedGuard> LargeGuardPlace::get() const {
  const std::lock_guard lock(mutex_);
  return guard_.lock();
}

Pair::Pair(PairSource source)
    : source_(std::move(source)),
      arena_(DeviceArena::reserve(demands_of(source_), source_.gpu_limit, current_device())),
      large_(std::make_shared<LargeGuardPlace>()) {}

std::unique_ptr<engine::Backend> Pair::make_guard(GuardRole role, std::stop_token stop) {
  if (role == GuardRole::kLarge && !source_.large) {
    throw Error(ErrorCode::kInvalidArgument, "this pair has no large guard");
  }
  const GuardSource& source = role == GuardRole::kSmall ? source_.small : *source_.large;
  return std::make_unique<CudaBackend>(source, arena_, role, large_, std::move(stop));
}

}  // namespace saferoute::cuda
