#include "ort/ort_backend.h"

#include <future>
#include <optional>
#include <string>
#include <utility>

#include "cpu/guard_head.h"
#include "cpu/tile_unit.h"
#include "engine/error.h"
#include "model/weights.h"
#include "ort/batch_inputs.h"
#include "ort/decoder_graph.h"
#include "ort/decoder_ops.h"
#include "ort/feature_router.h"
#include "ort/int8_decoder_graph.h"
#include "ort/int8_layers.h"
#include "ort/int8_ops.h"
#include "ort/session.h"
#include "ort/thread_heap.h"
#include "ort/thread_pool.h"
#include "train/worker_threads.h"

namespace saferoute::ort {
namespace {

const model::ModelSpec& validated(const model::ModelSpec& spec) {
  model::validate(spec);
  return spec;
}

void check_verdict(const GuardSource& source) {
  size_t unsafe = 0;
  for (const uint8_t flag : source.verdict_unsafe) unsafe += flag != 0;
  const size_t tokens = source.verdict_ids.size();
  if (tokens != source.verdict_unsafe.size() || unsafe == 0 || unsafe == tokens) {
    throw Error(ErrorCode::kInvalidArgument,
                "a guard needs verdict tokens that mean safe and others that mean unsafe, not " +
                    std::to_string(tokens) + " tokens with " + std::to_string(unsafe) + " unsafe ones");
  }
}

// Outlives what a guard holds and then gives it back to the system.
struct HeapTrimmer {
  HeapTrimmer() = default;
  HeapTrimmer(const HeapTrimmer&) = delete;
  HeapTrimmer& operator=(const HeapTrimmer&) = delete;
  ~HeapTrimmer() { trim_thread_heap(); }
};

// Whoever multiplies: readings of a machine do not depend on that.
cpu::KvFormat kv_format(Precision precision) {
  return precision == Precision::kInt8 && cpu::has_bf16_tiles() ? cpu::KvFormat::kBf16 : cpu::KvFormat::kF32;
}

model::MemoryEstimate estimate(const model::ModelSpec& spec, const GuardSource& source, const KvArena& kv) {
  const auto format = source.precision == Precision::kInt8 ? model::WeightFormat::kInt8 : model::WeightFormat::kF32;
  return model::estimate_memory(spec, format, source.batch_tokens, static_cast<uint64_t>(kv.pages()) * kv.page_bytes());
}

class OrtBackend final : public engine::Backend {
 public:
  OrtBackend(const RuntimeOptions& options, GuardSource source, std::stop_token stop);

  const engine::GuardInfo& info() const override { return info_; }
  engine::BatchReading forward(const engine::Batch& batch, std::stop_token stop) override;
  void release_overflow() override { attention_.kv.release_overflow(); }
  float route(std::span<const float> feature) override;

 private:
  MemoryBudget::Reservation reserve_pages(uint64_t bytes) const;
  Handle<OrtModel> build_model(const model::TensorTable& table, GuardSource& source, int32_t threads,
                               const std::stop_token& stop);

  const HeapTrimmer trimmer_;  // first, so that it is destroyed last
  const model::ModelSpec spec_;
  const int32_t batch_tokens_;
  const uint64_t memory_limit_bytes_;  // 0: what the machine has available
  const std::shared_ptr<Runtime> runtime_;
  // Each of the following is referred to by those after it.
  AttentionMemory attention_;
  AnonymousMemory activated_;  // int8 products on the tile unit only
  const model::MemoryEstimate estimate_;
  HeadWeights head_;
  CustomOps ops_;
  WeightStore weights_;
  std::optional<Session> session_;
  std::optional<model::EmbeddingTable> embeddings_;
  std::optional<BatchInputs> inputs_;
  engine::GuardInfo info_;
};

OrtBackend::OrtBackend(const RuntimeOptions& options, GuardSource source, std::stop_token stop)
    : spec_(validated(source.spec)),
      batch_tokens_(source.batch_tokens),
      memory_limit_bytes_(source.memory_limit_bytes),
      runtime_(Runtime::acquire(options)),
      attention_(spec_, kv_format(source.precision), batch_tokens_, source.kv_bytes),
      estimate_(estimate(spec_, source, attention_.kv)),
      ops_(runtime_->api(), kOpDomain),
      weights_(runtime_->api()) {
  check_verdict(source);
  yield_to_main_thread();
  const char* const what = source.precision == Precision::kInt8 ? "this guard in int8" : "this guard in f32";
  const MemoryBudget::Reservation reserved =
      runtime_->budget().reserve(what, estimate_.peak_bytes(), memory_limit_bytes_, model::available_memory_bytes());
  const auto warmed = std::async(std::launch::async, [this] { attention_.kv.warm(batch_tokens_); });
  const model::TensorTable table(std::move(source.paths), std::move(source.entries));
  head_ = load_head(table, source);
  embeddings_.emplace(table, spec_);
  session_.emplace(runtime_, ops_, build_model(table, source, options.threads, stop), stop);
  inputs_.emplace(spec_, batch_tokens_);
  info_.hidden_size = spec_.hidden_size;
  info_.vocab_size = spec_.vocab_size;
  info_.max_positions = spec_.max_positions;
  info_.verdict_unsafe = std::move(source.verdict_unsafe);
  info_.has_router = head_.network != nullptr;
  if (info_.has_router) info_.feature_router = make_feature_router(head_.network);
  info_.weight_bytes = weights_.adopted_bytes() + head_.bytes();
  info_.kv_pages = attention_.kv.pages();
  info_.page_bytes = attention_.kv.page_bytes();
  trim_thread_heap();  // what weights on their way have left behind
}

Handle<OrtModel> OrtBackend::build_model(const model::TensorTable& table, GuardSource& source, int32_t threads,
                                         const std::stop_token& stop) {
  GraphBuilder graph(runtime_->api(), weights_, kOpDomain);
  const auto verdict_tokens = static_cast<int64_t>(source.verdict_ids.size());
  const auto check_stop = [&] {
    if (stop.stop_requested()) throw Error(ErrorCode::kAborted, "the load was stopped");
  };
  add_head_op(ops_, spec_, head_);
  if (source.precision == Precision::kF32) {
    add_f32_ops(ops_, spec_, attention_);
    build_decoder(graph, spec_, verdict_tokens, [&](int32_t layer) {
      check_stop();
      return model::load_layer(table, spec_, layer);
    });
  } else {
    const bool tiles = cpu::has_int8_tiles() && !source.library_products;
    if (tiles) activated_ = activated_memory(spec_, batch_tokens_);
    add_int8_ops(ops_, spec_, attention_, activated_);
    // ONNX Runtime lends its pool to running sessions only.
    train::WorkerThreads packers(tiles ? (threads > 0 ? threads : usable_cores()) : 1);
    Int8Layers layers(table, spec_, std::move(source.weight_cache));
    build_int8_decoder(graph, spec_, verdict_tokens, tiles ? Int8Product::kTiles : Int8Product::kLibrary,
                       packers.parallel_for(), [&](int32_t layer) {
                         check_stop();
                         return layers.load(layer);
                       });
    info_.weight_cache = layers.finish();
  }
  return graph.finish();
}

// For pages beyond the budget, of which only their number is limited by what a prompt may be long.
MemoryBudget::Reservation OrtBackend::reserve_pages(uint64_t bytes) const {
  const uint64_t provided = memory_limit_bytes_ > 0 ? estimate_.peak_bytes() + attention_.kv.overflow_bytes() : 0;
  return runtime_->budget().reserve("keys and values of a long prompt", provided + bytes, memory_limit_bytes_,
                                    model::available_memory_bytes());
}

engine::BatchReading OrtBackend::forward(const engine::Batch& batch, std::stop_token stop) {
  check_batch(batch, batch_tokens_);
  const int32_t tokens = batch.row_offsets.back();
  const int32_t rows = batch.rows();
  std::optional<MemoryBudget::Reservation> reserved;  // until the pass has written the new pages
  if (const uint64_t missing = attention_.kv.missing_bytes(batch); missing > 0)
    reserved.emplace(reserve_pages(missing));
  embeddings_->gather(batch.tokens, inputs_->hidden.data());
  inputs_->fill(batch);
  attention_.kv.bind(batch);

  const auto verdict_tokens = static_cast<int64_t>(info_.verdict_unsafe.size());
  engine::BatchReading reading;
  reading.logits.resize(static_cast<size_t>(rows * verdict_tokens));
  const TensorRef inputs[] = {
      matrix(kHidden, inputs_->hidden.data(), tokens, spec_.hidden_size),
      matrix(kCosSin, inputs_->cos_sin.data(), tokens, spec_.head_dim),
      vector(kLastTokens, inputs_->last_tokens.data(), rows),
      vector(kHeadOffsets, inputs_->head_offsets.data(), rows + 1),
  };
  std::vector<TensorRef> outputs{matrix(kLogits, reading.logits.data(), rows, verdict_tokens)};
  if (info_.has_router) {
    reading.hardness.resize(static_cast<size_t>(rows));
    outputs.push_back(vector(kHardness, reading.hardness.data(), rows));
  }
  if (batch.want_features) {
    reading.features.resize(static_cast<size_t>(rows) * static_cast<size_t>(spec_.hidden_size));
    outputs.push_back(matrix(kFeature, reading.features.data(), rows, spec_.hidden_size));
  }
  session_->run(inputs, outputs, stop);
  return reading;
}

float OrtBackend::route(std::span<const float> feature) {
  if (!head_.network) throw Error(ErrorCode::kUnsupported, "this guard carries no router");
  if (std::cmp_not_equal(feature.size(), spec_.hidden_size)) {
    throw Error(ErrorCode::kInvalidArgument, "a feature of this guard has " + std::to_string(spec_.hidden_size) +
                                                 " values, not " + std::to_string(feature.size()));
  }
  return cpu::route(*head_.network, feature.data());
}

}  // namespace

engine::BackendFactory make_ort_backend_factory(RuntimeOptions runtime, GuardSource source) {
  return [runtime = std::move(runtime), source = std::move(source)](std::stop_token stop) mutable {
    return std::make_unique<OrtBackend>(runtime, std::move(source), std::move(stop));
  };
}

}  // namespace saferoute::ort
