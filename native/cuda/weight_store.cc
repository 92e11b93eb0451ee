#include "cuda/weight_store.h"

#include <optional>
#include <string>
#include <utility>

#include "cuda/check.h"
#include "cuda/weight_packing.h"
#include "engine/error.h"
#include "router/network.h"

namespace saferoute::cuda {
namespace {

// A block in host memory.
class HostBlock final : public BlockSink {
 public:
  HostBlock(std::byte* block, const std::stop_token& stop) : block_(block), stop_(stop) {}

  std::span<std::byte> next(uint64_t offset, uint64_t bytes) override {
    if (stop_.stop_requested()) throw Error(ErrorCode::kAborted, "the load was stopped");
    return {block_ + offset, static_cast<size_t>(bytes)};
  }

 private:
  std::byte* block_;
  const std::stop_token& stop_;
};

const float* floats(const std::byte* block, const Extent& extent) {
  return extent.bytes == 0 ? nullptr : reinterpret_cast<const float*>(block + extent.offset);
}

Matrix matrix(const std::byte* block, const MatrixExtent& extent) {
  const std::byte* const values = block + extent.values.offset;
  if (extent.scales.bytes == 0) return {.bf16 = reinterpret_cast<const Bf16*>(values), .fp8 = {}, .fp8_scales = {}};
  return {.bf16 = nullptr, .fp8 = reinterpret_cast<const Fp8*>(values), .fp8_scales = floats(block, extent.scales)};
}

std::optional<router::Network> read_router(const GuardSource& source) {
  if (!source.router) return std::nullopt;
  const model::TensorTable table(source.router->paths, source.router->entries);
  router::Network network = router::load_network(table, source.router->layers);
  if (network.input_size() != source.spec.hidden_size) {
    throw Error(ErrorCode::kCheckpoint, "the router reads features of width " + std::to_string(network.input_size()) +
                                            ", but the guard's hidden size is " +
                                            std::to_string(source.spec.hidden_size));
  }
  return network;
}

}  // namespace

WeightStore::WeightStore(const GuardSource& source, std::shared_ptr<DeviceArena> arena, size_t guard,
                         std::stop_token stop)
    : arena_(std::move(arena)), guard_(guard) {
  check(cudaSetDevice(arena_->device()), "choosing the device");
  const model::TensorTable table(source.paths, source.entries);
  DeviceUpload upload(stop);
  load_head(source, table, upload);
  load_embedding(source, table, upload, stop);
  load_layers(source, table, upload, stop);
  upload.finish();
}

void WeightStore::load_head(const GuardSource& source, const model::TensorTable& table, DeviceUpload& upload) {
  const HeadLayout& layout = arena_->plan(guard_).head;
  std::byte* const block = arena_->take_rest(guard_, Purpose::kHead).data;
  const std::optional<router::Network> network = read_router(source);
  upload.begin(block);
  pack_head(table, source.spec, source.verdict_ids, network ? &*network : nullptr, router_layout(), upload);
  head_.inverse_frequency = floats(block, layout.inverse_frequency);
  head_.final_norm = floats(block, layout.final_norm);
  head_.verdict_rows = reinterpret_cast<const Bf16*>(block + layout.verdict_rows.offset);
  head_.router = network ? block + layout.router.offset : nullptr;
}

void WeightStore::load_embedding(const GuardSource& source, const model::TensorTable& table, DeviceUpload& upload,
                                 const std::stop_token& stop) {
  const std::byte* embedding = nullptr;
  if (arena_->plan(guard_).embedding_on_host) {
    embedding_ = PinnedMemory(embedding_bytes(source.spec), "the embedding table");
    HostBlock block(embedding_.data(), stop);
    pack_embedding(table, source.spec, block);
    embedding = embedding_.data();
  } else {
    const DeviceBuffer<std::byte> block = arena_->take_rest(guard_, Purpose::kEmbedding);
    upload.begin(block.data);
    pack_embedding(table, source.spec, upload);
    embedding = block.data;
  }
  head_.embedding = reinterpret_cast<const Bf16*>(embedding);
}

void WeightStore::load_layers(const GuardSource& source, const model::TensorTable& table, DeviceUpload& upload,
                              const std::stop_token& stop) {
  const GuardPlan& plan = arena_->plan(guard_);
  const uint64_t layer_bytes = plan.layer.bytes;
  StreamSchedule schedule(source.spec.layers, plan.streamed_layers, plan.stream_slots);
  streamed_ = PinnedMemory(static_cast<uint64_t>(plan.streamed_layers) * layer_bytes, "streamed layers");
  std::byte* const standing = arena_->take_rest(guard_, Purpose::kLayers).data;
  for (int32_t layer = 0; layer < source.spec.layers; ++layer) {
    const uint64_t offset = static_cast<uint64_t>(schedule.index(layer)) * layer_bytes;
    if (schedule.is_streamed(layer)) {
      HostBlock block(streamed_.data() + offset, stop);
      pack_layer(table, source.spec, source.precision, layer, block);
    } else {
      upload.begin(standing + offset);
      pack_layer(table, source.spec, source.precision, layer, upload);
    }
  }
  layers_ = standing;
  if (plan.streamed_layers == 0) return;
  streamer_ = std::make_unique<LayerStreamer>(std::move(schedule), streamed_.data(),
                                              arena_->take_rest(guard_, Purpose::kSlots).data, layer_bytes);
}

DecoderLayer WeightStore::pointers(const std::byte* block) const {
  const LayerLayout& layout = arena_->plan(guard_).layer;
  return {.input_norm = floats(block, layout.input_norm),
          .qkv = matrix(block, layout.qkv),
          .q_norm = floats(block, layout.q_norm),
          .k_norm = floats(block, layout.k_norm),
          .output = matrix(block, layout.output),
          .post_norm = floats(block, layout.post_norm),
          .gate_up = matrix(block, layout.gate_up),
          .down = matrix(block, layout.down)};
}

DecoderLayer WeightStore::acquire(int32_t index, cudaStream_t stream) {
  if (streamer_ == nullptr) return pointers(layers_ + static_cast<uint64_t>(index) * arena_->plan(guard_).layer.bytes);
  const StreamSchedule& schedule = streamer_->schedule();
  const int32_t place = schedule.index(index);
  if (schedule.is_streamed(index)) return pointers(streamer_->acquire(place, stream));
  return pointers(layers_ + static_cast<uint64_t>(place) * arena_->plan(guard_).layer.bytes);
}

void WeightStore::release(int32_t index, cudaStream_t stream) {
  if (streamer_ == nullptr) return;
  const StreamSchedule& schedule = streamer_->schedule();
  if (schedule.is_streamed(index)) streamer_->release(schedule.index(index), stream);
}

void WeightStore::rewind(cudaStream_t stream) {
  if (streamer_ != nullptr) streamer_->rewind(stream);
}

}  // namespace saferoute::cuda
