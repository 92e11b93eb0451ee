// Attention on a GPU: everything that any runner of its kernels must do, the shapes of the reference guards, and
// graphs.
#include "cuda/attention_checks.h"
#include "cuda/device_test.h"
#include "cuda/paged_attention.h"

namespace saferoute::cuda {
namespace {

// A batch in device memory.
class DeviceBatch {
 public:
  explicit DeviceBatch(const AttentionBatch& batch)
      : qkv_(batch.qkv),
        memory_(batch.memory),
        pages_(batch.pages),
        page_offsets_(batch.page_offsets),
        row_offsets_(batch.row_offsets),
        row_starts_(batch.row_starts),
        out_(static_cast<int64_t>(batch.out_size())),
        scratch_(attention_scratch_bytes(batch.shape.head_dim) / static_cast<int64_t>(sizeof(float))),
        batch_(batch) {}

  void attend(KeySpread spread, cudaStream_t stream) const {
    const KvLayer kv{.base = reinterpret_cast<std::byte*>(memory_.data() + batch_.layer_elements()),
                     .page_bytes = 2 * batch_.layer_elements() * static_cast<int64_t>(sizeof(uint16_t)),
                     .kv_heads = batch_.shape.kv_heads,
                     .head_dim = batch_.shape.head_dim};
    const BatchView view{.tokens = nullptr,
                         .token_row = nullptr,
                         .positions = nullptr,
                         .row_offsets = row_offsets_.data(),
                         .row_starts = row_starts_.data(),
                         .pages = pages_.data(),
                         .page_offsets = page_offsets_.data(),
                         .token_count = batch_.tokens,
                         .row_count = batch_.rows(),
                         .page_count = static_cast<int32_t>(pages_.size())};
    const AttentionParameters parameters{.heads = batch_.shape.heads,
                                         .scale = AttentionPrompts::scale(batch_.shape),
                                         .max_keys = batch_.max_keys,
                                         .which = batch_.which,
                                         .spread = spread};
    paged_attention(reinterpret_cast<const Bf16*>(qkv_.data()), kv, view, parameters, scratch_.data(),
                    reinterpret_cast<Bf16*>(out_.data()), stream);
  }

  std::vector<uint16_t> outcomes() const { return out_.read(); }

 private:
  DeviceVector<uint16_t> qkv_, memory_;
  DeviceVector<int32_t> pages_, page_offsets_, row_offsets_, row_starts_;
  DeviceVector<uint16_t> out_;
  DeviceVector<float> scratch_;
  const AttentionBatch& batch_;
};

class OnDevice : public DeviceTest {
 protected:
  std::vector<uint16_t> run(const AttentionBatch& batch, bool spread) {
    const DeviceBatch device(batch);
    device.attend(spread ? KeySpread::kWherePossible : KeySpread::kNever, stream_);
    synchronize();
    return device.outcomes();
  }
};

INSTANTIATE_TYPED_TEST_SUITE_P(OnDevice, AttentionChecks, OnDevice);

// Llama-Guard-3-1B's and 8B's heads, a pair without groups, and a wide group.
constexpr cpu::QkvShape kGuards[] = {{32, 8, 64}, {32, 8, 128}, {6, 6, 64}, {64, 4, 128}};

class DeviceAttention : public AttentionChecks<OnDevice> {};

TEST_F(DeviceAttention, ReferenceGuardsMatchTheCpu) {
  for (const cpu::QkvShape& shape : kGuards) {
    SCOPED_TRACE(testing::Message() << shape.heads << " heads of " << shape.head_dim);
    const AttentionPrompts prompts(shape, {700, 410, 513, 64, 1, 1025}, 20);
    const std::vector<Stretch> rows = {{0, 640, 700}, {1, 320, 410}, {2, 0, 513},
                                       {3, 0, 64},    {4, 0, 1},     {5, 1024, 1025}};
    for (const AttentionQueries which : {AttentionQueries::kAll, AttentionQueries::kLastOfRow}) {
      expect_cpu(prompts, prompts.batch(rows, which), rows, false);
      if (HasFatalFailure()) return;
    }
    expect_cpu(prompts, prompts.batch({rows[0]}), {rows[0]}, true);
    if (HasFatalFailure()) return;
  }
}

// The same bits every time: a difference would be a race.
TEST_F(DeviceAttention, RepeatsToTheLastBit) {
  const AttentionPrompts prompts({32, 8, 64}, {900, 300, 77});
  const AttentionBatch batch = prompts.batch(prompts.whole());
  const std::vector<uint16_t> first = run(batch, false);
  for (int round = 0; round < 20; ++round) ASSERT_EQ(run(batch, false), first) << round;
  const AttentionBatch few = prompts.batch({{0, 880, 900}});
  const std::vector<uint16_t> spread = run(few, true);
  for (int round = 0; round < 20; ++round) ASSERT_EQ(run(few, true), spread) << round;
}

TEST_F(DeviceAttention, RunsFromAGraph) {
  const AttentionPrompts prompts({32, 8, 128}, {600});
  for (const KeySpread spread : {KeySpread::kNever, KeySpread::kWherePossible}) {
    const AttentionBatch batch = prompts.batch({{0, 590, 600}});
    const DeviceBatch plain(batch), captured(batch);
    plain.attend(spread, stream_);
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t executable = nullptr;
    check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "begin capture");
    captured.attend(spread, stream_);
    check(cudaStreamEndCapture(stream_, &graph), "end capture");
    check(cudaGraphInstantiate(&executable, graph, 0), "instantiate");
    check(cudaGraphLaunch(executable, stream_), "launch");
    synchronize();
    EXPECT_EQ(captured.outcomes(), plain.outcomes());
    cudaGraphExecDestroy(executable);
    cudaGraphDestroy(graph);
  }
}

}  // namespace
}  // namespace saferoute::cuda
