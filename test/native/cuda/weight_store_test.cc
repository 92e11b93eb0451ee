// Weights on a real device are those of the checkpoint, whether they stand or are streamed, pass after pass.
#include "cuda/weight_store.h"

#include <cstring>
#include <memory>
#include <stop_token>
#include <vector>

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include "cuda/check.h"
#include "cuda/device_test.h"
#include "cuda/weight_packing.h"
#include "model/checkpoint_file.h"

namespace saferoute::cuda {
namespace {

using model::expect_error;

// Layers of half a MiB, so that a few of them can be left no room for.
model::ModelSpec spec() {
  model::ModelSpec spec;
  spec.layers = 7;
  spec.hidden_size = 128;
  spec.heads = 4;
  spec.kv_heads = 2;
  spec.head_dim = 32;
  spec.intermediate_size = 512;
  spec.vocab_size = 64;
  spec.max_positions = 64;
  spec.tied_head = true;
  return spec;
}

class HostBlock final : public BlockSink {
 public:
  explicit HostBlock(uint64_t bytes) : bytes_(bytes) {}
  std::span<std::byte> next(uint64_t offset, uint64_t bytes) override {
    return std::span(bytes_).subspan(offset, bytes);
  }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

class WeightStoreTest : public DeviceTest {
 protected:
  GuardSource source(Precision precision) const {
    const model::CheckpointFile file = model::counting_checkpoint(spec(), model::DType::kBF16);
    GuardSource source;
    source.spec = spec();
    source.paths = {folder_.write("model.safetensors", file.bytes)};
    source.entries = file.entries;
    source.verdict_ids = {3, 5};
    source.verdict_unsafe = {0, 1};
    source.precision = precision;
    source.kv_bytes = 1;
    return source;
  }

  // The reservation of a guard that `missing` layers have no room in.
  static std::shared_ptr<DeviceArena> arena(const GuardSource& source, int32_t missing) {
    PairSource pair;
    pair.small = source;
    pair.batch_tokens = 64;
    pair.batch_rows = 4;
    const std::vector<GuardDemand> demands = demands_of(pair);
    const MemoryPlan all = DeviceArena::plan_now(demands, {}, 0);
    if (missing == 0) return DeviceArena::reserve(demands, {}, 0);
    const uint64_t least =
        all.device_bytes() - all.guards[0].region(Purpose::kKvPages).bytes + all.guards[0].page_bytes;
    const uint64_t without = embedding_bytes(source.spec) + static_cast<uint64_t>(missing) * all.guards[0].layer.bytes;
    return DeviceArena::reserve(demands, {.bytes = least - without, .fraction = 0}, 0);
  }

  std::vector<std::byte> on_host(const void* device, uint64_t bytes) {
    std::vector<std::byte> copy(bytes);
    check(cudaMemcpyAsync(copy.data(), device, bytes, cudaMemcpyDefault, stream_), "reading back");
    synchronize();
    return copy;
  }

  void expect_extent(const HostBlock& expected, const Extent& extent, const void* device) {
    if (extent.bytes == 0) {
      EXPECT_EQ(device, nullptr);
      return;
    }
    const auto* const from = expected.bytes().data() + extent.offset;
    const std::vector<std::byte> found = on_host(device, extent.bytes);
    EXPECT_EQ(std::memcmp(found.data(), from, extent.bytes), 0);
  }

  void expect_matrix(const HostBlock& expected, const MatrixExtent& extent, const Matrix& matrix) {
    expect_extent(expected, extent.values,
                  matrix.is_fp8() ? static_cast<const void*>(matrix.fp8) : static_cast<const void*>(matrix.bf16));
    expect_extent(expected, extent.scales, matrix.fp8_scales);
  }

  void expect_passes(WeightStore& store, const GuardSource& source, int passes) {
    const model::TensorTable table(source.paths, source.entries);
    const LayerLayout layout = layer_layout(source.spec, source.precision);
    for (int pass = 0; pass < passes; ++pass) {
      for (int32_t index = 0; index < source.spec.layers; ++index) {
        SCOPED_TRACE(testing::Message() << "layer " << index << " of pass " << pass);
        HostBlock expected(layout.bytes);
        pack_layer(table, source.spec, source.precision, index, expected);
        const DecoderLayer layer = store.acquire(index, stream_);
        expect_extent(expected, layout.input_norm, layer.input_norm);
        expect_extent(expected, layout.post_norm, layer.post_norm);
        expect_extent(expected, layout.q_norm, layer.q_norm);
        expect_matrix(expected, layout.qkv, layer.qkv);
        expect_matrix(expected, layout.output, layer.output);
        expect_matrix(expected, layout.gate_up, layer.gate_up);
        expect_matrix(expected, layout.down, layer.down);
        store.release(index, stream_);
      }
    }
  }

 private:
  model::TemporaryFolder folder_;
};

TEST_F(WeightStoreTest, HoldsEveryLayerWhereAllStand) {
  for (const Precision precision : {Precision::kBf16, Precision::kFp8}) {
    const GuardSource guard = source(precision);
    WeightStore store(guard, arena(guard, 0), 0, {});
    EXPECT_TRUE(store.are_resident());
    expect_passes(store, guard, 2);
  }
}

TEST_F(WeightStoreTest, StreamsLayersThatHaveNoRoom) {
  for (const Precision precision : {Precision::kBf16, Precision::kFp8}) {
    for (const int32_t missing : {1, 3, 5}) {
      SCOPED_TRACE(missing);
      const GuardSource guard = source(precision);
      const std::shared_ptr<DeviceArena> reserved = arena(guard, missing);
      EXPECT_GE(reserved->plan(0).streamed_layers, missing + 2);
      WeightStore store(guard, reserved, 0, {});
      EXPECT_FALSE(store.are_resident());
      expect_passes(store, guard, 3);
    }
  }
}

// Nothing waits on the host here: only events keep a slot from being filled while it is read, or read before it is
// filled.
TEST_F(WeightStoreTest, CopiesAndPassesWaitForEachOtherOnTheDevice) {
  constexpr int64_t kPasses = 4;
  const GuardSource guard = source(Precision::kBf16);
  WeightStore store(guard, arena(guard, 5), 0, {});
  const LayerLayout layout = layer_layout(guard.spec, guard.precision);
  const auto bytes = static_cast<int64_t>(layout.down.values.bytes);
  const DeviceVector<std::byte> log(kPasses * guard.spec.layers * bytes);
  for (int64_t turn = 0; turn < kPasses * guard.spec.layers; ++turn) {
    const auto index = static_cast<int32_t>(turn % guard.spec.layers);
    const DecoderLayer layer = store.acquire(index, stream_);
    check(cudaMemcpyAsync(log.data() + turn * bytes, layer.down.bf16, static_cast<size_t>(bytes),
                          cudaMemcpyDeviceToDevice, stream_),
          "reading a layer");
    store.release(index, stream_);
  }
  const std::vector<std::byte> found = log.read();
  const model::TensorTable table(guard.paths, guard.entries);
  for (int64_t turn = 0; turn < kPasses * guard.spec.layers; ++turn) {
    HostBlock expected(layout.bytes);
    pack_layer(table, guard.spec, guard.precision, static_cast<int32_t>(turn % guard.spec.layers), expected);
    EXPECT_EQ(std::memcmp(found.data() + turn * bytes, expected.bytes().data() + layout.down.values.offset,
                          static_cast<size_t>(bytes)),
              0)
        << "layer " << turn % guard.spec.layers << " of pass " << turn / guard.spec.layers;
  }
}

TEST_F(WeightStoreTest, BeginsAgainAfterAPassThatEndedEarly) {
  const GuardSource guard = source(Precision::kBf16);
  const std::shared_ptr<DeviceArena> reserved = arena(guard, 5);
  WeightStore store(guard, reserved, 0, {});
  for (int32_t layers = 1; layers < guard.spec.layers; ++layers) {
    for (int32_t index = 0; index < layers; ++index) {
      store.acquire(index, stream_);
      store.release(index, stream_);
    }
    store.rewind(stream_);
    expect_passes(store, guard, 1);
  }
}

TEST_F(WeightStoreTest, RefusesAStreamedLayerOutOfTurn) {
  const GuardSource guard = source(Precision::kBf16);
  const std::shared_ptr<DeviceArena> reserved = arena(guard, 5);
  ASSERT_EQ(reserved->plan(0).streamed_layers, guard.spec.layers);
  WeightStore store(guard, reserved, 0, {});
  expect_error(ErrorCode::kInvalidArgument, "streamed layer 2 is taken out of turn",
               [&] { static_cast<void>(store.acquire(2, stream_)); });
}

TEST_F(WeightStoreTest, HoldsTheHeadAndTheEmbedding) {
  const GuardSource guard = source(Precision::kBf16);
  const model::TensorTable table(guard.paths, guard.entries);
  HostBlock embedding(embedding_bytes(guard.spec));
  pack_embedding(table, guard.spec, embedding);
  HostBlock head(head_layout(guard.spec, 2, 0).bytes);
  pack_head(table, guard.spec, guard.verdict_ids, nullptr, RouterLayout(), head);
  const HeadLayout layout = head_layout(guard.spec, 2, 0);
  for (const int32_t missing : {0, 3}) {
    WeightStore store(guard, arena(guard, missing), 0, {});
    expect_extent(embedding, {.offset = 0, .bytes = embedding.bytes().size()}, store.head().embedding);
    expect_extent(head, layout.final_norm, store.head().final_norm);
    expect_extent(head, layout.verdict_rows, store.head().verdict_rows);
    expect_extent(head, layout.inverse_frequency, store.head().inverse_frequency);
    EXPECT_EQ(store.head().router, nullptr);
  }
}

TEST_F(WeightStoreTest, EndsALoadThatIsStopped) {
  const GuardSource guard = source(Precision::kBf16);
  std::stop_source stop;
  stop.request_stop();
  for (const int32_t missing : {0, 3}) {
    expect_error(ErrorCode::kAborted, "stopped",
                 [&] { WeightStore(guard, arena(guard, missing), 0, stop.get_token()); });
  }
}

}  // namespace
}  // namespace saferoute::cuda
