// Attention on a GPU: everything that any runner of its kernels must do, the shapes of the reference guards, and
// graphs.
#include "cuda/attention_checks.h"
#include "cuda/attention_on_device.h"
#include "cuda/device_test.h"

namespace saferoute::cuda {
namespace {

class OnDevice : public DeviceTest {
 protected:
  std::vector<uint16_t> run(const AttentionBatch& batch, bool spread) {
    AttentionOnDevice device(batch);
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
    AttentionOnDevice plain(batch), captured(batch);
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
