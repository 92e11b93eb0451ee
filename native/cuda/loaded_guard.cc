#include "cuda/loaded_guard.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "cuda/check.h"
#include "engine/error.h"

namespace saferoute::cuda {
namespace {

static_assert(kWorkspaceBytes == static_cast<uint64_t>(kGemmWorkspaceBytes), "planned is what products ask for");

void check_verdict(const GuardSource& source) {
  const auto tokens = static_cast<int64_t>(source.verdict_ids.size());
  const auto unsafe = std::ranges::count_if(source.verdict_unsafe, [](uint8_t flag) { return flag != 0; });
  if (std::cmp_not_equal(source.verdict_unsafe.size(), tokens) || unsafe == 0 || unsafe == tokens) {
    throw Error(ErrorCode::kInvalidArgument,
                "a guard needs verdict tokens that mean safe and others that mean unsafe, not " +
                    std::to_string(tokens) + " tokens with " + std::to_string(unsafe) + " unsafe ones");
  }
  if (tokens > kMaxVerdictTokens) {
    throw Error(ErrorCode::kUnsupported, "a guard of " + std::to_string(tokens) + " verdict tokens: at most " +
                                             std::to_string(kMaxVerdictTokens) + " are read on the device");
  }
}

const GuardSource& checked(const GuardSource& source) {
  model::validate(source.spec);
  check_verdict(source);
  return source;
}

// What comes down with one copy.
uint64_t results_bytes(const PassBuffers& buffers) {
  return buffers.counts.offset + buffers.counts.bytes - buffers.logits.offset;
}

}  // namespace

LoadedGuard::LoadedGuard(const GuardSource& source, std::shared_ptr<DeviceArena> arena, size_t guard,
                         std::stop_token stop)
    : arena_(std::move(arena)),
      guard_(guard),
      plan_(arena_->plan(guard)),
      limits_(pass_limits(plan_.demand)),
      verdict_tokens_(static_cast<uint32_t>(plan_.demand.verdict_tokens)),
      weights_(checked(source), arena_, guard, std::move(stop)),
      gemm_(CublasLt::load(), arena_->take_rest(guard, Purpose::kWorkspace)),
      scratch_(arena_->take_rest(guard, Purpose::kPass).data),
      pages_(arena_->take_rest(guard, Purpose::kKvPages)),
      batch_(static_cast<uint64_t>(BatchBlock::most_elements(limits_)) * sizeof(int32_t), "batches"),
      rule_(static_cast<uint64_t>(limits_.rows) + sizeof(float), "escalation plans"),
      results_(results_bytes(plan_.pass), "readings"),
      features_(static_cast<uint64_t>(limits_.rows) * static_cast<uint64_t>(source.spec.hidden_size) * sizeof(float),
                "features") {
  decoder_.emplace(source.spec, memory(), weights_, gemm_);
  // guard_head expects zeros, and what padding leaves unwritten shall at least be numbers.
  cuda::check(cudaMemset(scratch_, 0, decoder_->buffers().bytes), "clearing a guard's scratch");
  // The backend's stream waits for no other.
  cuda::check(cudaStreamSynchronize(nullptr), "clearing a guard's scratch");
}

DecoderMemory LoadedGuard::memory() const {
  const HeadPointers& head = weights_.head();
  const model::ModelSpec& spec = plan_.demand.spec;
  return {.embedding = head.embedding,
          .inverse_frequency = head.inverse_frequency,
          .head = {.final_norm = head.final_norm,
                   .verdict_rows = head.verdict_rows,
                   .router = head.router,
                   .router_layout = &weights_.router_layout(),
                   .verdict_tokens = plan_.demand.verdict_tokens,
                   .hidden = spec.hidden_size,
                   .eps = spec.rms_norm_eps},
          .kv = pages_.data,
          .page_bytes = static_cast<int64_t>(plan_.page_bytes),
          .scratch = scratch_,
          .buffers = plan_.pass};
}

void LoadedGuard::upload(const engine::Batch& batch, const PassShape& shape, cudaStream_t stream) {
  for (const engine::PageCopy& copy : batch.copies) {
    const auto page = [&](engine::PageId id) { return pages_.data + static_cast<uint64_t>(id) * plan_.page_bytes; };
    cuda::check(cudaMemcpyAsync(page(copy.to), page(copy.from), plan_.page_bytes, cudaMemcpyDeviceToDevice, stream),
                "copying a page of keys and values");
  }
  const BatchBlock block(shape, limits_.pages());
  auto* const packed = reinterpret_cast<int32_t*>(batch_.data());
  const int64_t elements = block.pack(batch, {packed, batch_.bytes() / sizeof(int32_t)});
  cuda::check(cudaMemcpyAsync(decoder_->at<int32_t>(decoder_->buffers().batch), packed,
                              static_cast<size_t>(elements) * sizeof(int32_t), cudaMemcpyHostToDevice, stream),
              "sending a batch to the device");
}

BatchView LoadedGuard::view(const PassShape& shape) const {
  return BatchBlock(shape, limits_.pages()).view(decoder_->at<int32_t>(decoder_->buffers().batch));
}

BatchView LoadedGuard::compacted_view(const PassShape& shape) const {
  return BatchBlock(shape, limits_.pages()).view(decoder_->at<int32_t>(decoder_->buffers().compacted));
}

void LoadedGuard::upload_rule(float threshold, std::span<const RowPlan> rows, cudaStream_t stream) {
  const auto most = static_cast<size_t>(limits_.rows);
  std::memset(rule_.data(), static_cast<int>(RowPlan::kForbidden), most);
  std::memcpy(rule_.data(), rows.data(), rows.size_bytes());
  std::memcpy(rule_.data() + most, &threshold, sizeof(threshold));
  const HardRule device = rule();
  cuda::check(cudaMemcpyAsync(const_cast<RowPlan*>(device.plan), rule_.data(), most, cudaMemcpyHostToDevice, stream),
              "sending an escalation plan to the device");
  cuda::check(cudaMemcpyAsync(const_cast<float*>(device.threshold), rule_.data() + most, sizeof(threshold),
                              cudaMemcpyHostToDevice, stream),
              "sending a threshold to the device");
}

HardRule LoadedGuard::rule() const {
  return {.threshold = reinterpret_cast<const float*>(counts_on_device() + 1),
          .plan = decoder_->at<RowPlan>(decoder_->buffers().row_plan)};
}

void LoadedGuard::launch(const BatchView& view, int32_t max_keys, const HardRule& rule, std::stop_token stop,
                         cudaStream_t stream) {
  try {
    decoder_->launch(view, max_keys, rule, std::move(stop), stream);
  } catch (...) {
    weights_.rewind(stream);
    throw;
  }
}

void LoadedGuard::download(cudaStream_t stream) const {
  cuda::check(cudaMemcpyAsync(results_.data(), decoder_->at<std::byte>(decoder_->buffers().logits), results_.bytes(),
                              cudaMemcpyDeviceToHost, stream),
              "fetching readings from the device");
}

void LoadedGuard::download_features(int32_t rows, cudaStream_t stream) const {
  const uint64_t row_bytes = static_cast<uint64_t>(decoder_->spec().hidden_size) * sizeof(float);
  cuda::check(cudaMemcpyAsync(features_.data(), decoder_->at<std::byte>(decoder_->buffers().features),
                              static_cast<uint64_t>(rows) * row_bytes, cudaMemcpyDeviceToHost, stream),
              "fetching features from the device");
}

const std::byte* LoadedGuard::result(const Extent& extent) const {
  return results_.data() + (extent.offset - decoder_->buffers().logits.offset);
}

engine::BatchReading LoadedGuard::read(int32_t rows, bool want_features) const {
  const auto count = static_cast<size_t>(rows);
  const auto* const logits = reinterpret_cast<const float*>(result(decoder_->buffers().logits));
  engine::BatchReading reading;
  reading.logits.assign(logits, logits + count * verdict_tokens_);
  if (has_router()) {
    const auto* const hardness = reinterpret_cast<const float*>(result(decoder_->buffers().hardness));
    reading.hardness.assign(hardness, hardness + count);
  }
  if (want_features) {
    const auto* const features = reinterpret_cast<const float*>(features_.data());
    reading.features.assign(features, features + count * static_cast<size_t>(decoder_->spec().hidden_size));
  }
  return reading;
}

const CompactionCounts& LoadedGuard::counts() const {
  return *reinterpret_cast<const CompactionCounts*>(result(decoder_->buffers().counts));
}

std::span<const int32_t> LoadedGuard::taken(int32_t rows) const {
  return {reinterpret_cast<const int32_t*>(result(decoder_->buffers().taken)), static_cast<size_t>(rows)};
}

// guard_head norms what it reads, so the feature is given the weight that undoes it.
float LoadedGuard::route(std::span<const float> feature, cudaStream_t stream) {
  const PassBuffers& buffers = decoder_->buffers();
  const size_t bytes = feature.size_bytes();
  double squares = 0;
  for (const float value : feature) squares += static_cast<double>(value) * value;
  const double mean = squares / static_cast<double>(feature.size());
  const std::vector<float> weight(feature.size(), static_cast<float>(std::sqrt(mean + decoder_->spec().rms_norm_eps)));
  float* const row = decoder_->at<float>(buffers.last_residual);
  float* const norm = decoder_->at<float>(buffers.residual);
  auto* const delta = decoder_->at<float>(buffers.delta);
  cuda::check(cudaMemcpyAsync(row, feature.data(), bytes, cudaMemcpyHostToDevice, stream),
              "sending a feature to the device");
  cuda::check(cudaMemcpyAsync(norm, weight.data(), bytes, cudaMemcpyHostToDevice, stream),
              "sending a feature to the device");
  cuda::check(cudaMemsetAsync(delta, 0, bytes, stream), "clearing a row on the device");
  GuardHeadWeights head = memory().head;
  head.final_norm = norm;
  const GuardHeadOutputs out{.feature = nullptr,
                             .logits = decoder_->at<float>(buffers.logits),
                             .hardness = decoder_->at<float>(buffers.hardness),
                             .hard = nullptr};
  guard_head(row, delta, nullptr, head, HardRule(), out, decoder_->at<std::byte>(buffers.head), 1, stream);
  float hardness = 0;
  cuda::check(cudaMemcpyAsync(&hardness, out.hardness, sizeof(hardness), cudaMemcpyDeviceToHost, stream),
              "fetching a hardness from the device");
  cuda::check(cudaStreamSynchronize(stream), "running the router");
  return hardness;
}

}  // namespace saferoute::cuda
