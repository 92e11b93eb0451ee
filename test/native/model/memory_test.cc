#include "model/available_memory.h"
#include "model/checkpoint_file.h"
#include "model/weights.h"

namespace saferoute::model {
namespace {

constexpr uint64_t kMiB = 1 << 20;

ModelSpec llama_guard_1b() {
  ModelSpec spec = tiny_spec();
  spec.layers = 16;
  spec.hidden_size = 2048;
  spec.heads = 32;
  spec.kv_heads = 8;
  spec.head_dim = 64;
  spec.intermediate_size = 8192;
  spec.vocab_size = 128256;
  return spec;
}

constexpr uint64_t kLayerWeights = 2048ull * (3072 + 2048) + 3ull * 2048 * 8192;  // of that guard, without norms

MemoryEstimate estimate_1b(WeightFormat format, int32_t batch_tokens, uint64_t kv_bytes = 0) {
  return estimate_memory(llama_guard_1b(), format, batch_tokens, kv_bytes);
}

// 973,144,064 parameters in the layers; embeddings and head stay in their files.
TEST(MemoryEstimate, CountsEveryWeightOnce) {
  const uint64_t norms = 16 * 2 * 2048 * 4;
  const MemoryEstimate f32 = estimate_1b(WeightFormat::kF32, 2048);
  EXPECT_GE(f32.weight_bytes, 16 * kLayerWeights * 4 + norms);
  EXPECT_LE(f32.weight_bytes, 16 * kLayerWeights * 4 + norms + kMiB);
  const MemoryEstimate int8 = estimate_1b(WeightFormat::kInt8, 2048);
  const uint64_t scales = 16 * (3072 + 2048 + 2 * 8192 + 2048) * 4;
  EXPECT_GE(int8.weight_bytes, 16 * kLayerWeights + scales + norms);
  EXPECT_LE(int8.weight_bytes, 16 * kLayerWeights + 2 * scales + norms + kMiB);
}

TEST(MemoryEstimate, PacksInWholeTiles) {
  const ModelSpec spec = tiny_spec();  // nothing in it is a multiple of a tile
  const uint64_t elements = 2 * (64 * 64 * 4ull);
  EXPECT_GE(estimate_memory(spec, WeightFormat::kF32, 1, 0).weight_bytes, elements * 4);
  EXPECT_GE(estimate_memory(spec, WeightFormat::kInt8, 1, 0).weight_bytes, elements);
  EXPECT_LT(estimate_memory(spec, WeightFormat::kInt8, 1, 0).weight_bytes, elements * 2);
}

// The widest matrix's source, and its copy while it is packed.
TEST(MemoryEstimate, LoadingNeedsOneMatrixTwice) {
  const uint64_t widest = 2ull * 8192 * 2048;
  EXPECT_EQ(estimate_1b(WeightFormat::kF32, 1).load_peak_bytes, 2 * widest * 4);
  EXPECT_GE(estimate_1b(WeightFormat::kInt8, 1).load_peak_bytes, widest * 5);
  EXPECT_LT(estimate_1b(WeightFormat::kInt8, 1).load_peak_bytes, widest * 6);
}

// The least that a token needs: the residual stream and its sum, and what the widest product takes in and gives out.
TEST(MemoryEstimate, CountsTheActivationsOfEachFormat) {
  EXPECT_GE(estimate_1b(WeightFormat::kF32, 1).activation_bytes, (2 * 2048 + 3 * 8192) * 4ull);
  const uint64_t int8 = estimate_1b(WeightFormat::kInt8, 1).activation_bytes;
  EXPECT_GE(int8, (2 * 2048 + 2 * 8192) * 4ull + 8192);
  EXPECT_LT(int8, estimate_1b(WeightFormat::kF32, 1).activation_bytes);
}

TEST(MemoryEstimate, KeysAndValuesTakeTheBudgetOrOnePage) {
  const uint64_t page = 16ull * 16 * 2 * 512 * 4;  // layers, tokens, keys and values, width, f32
  for (const WeightFormat format : {WeightFormat::kF32, WeightFormat::kInt8}) {
    EXPECT_EQ(estimate_1b(format, 1, 0).kv_bytes, page);
    EXPECT_EQ(estimate_1b(format, 1, page + 1).kv_bytes, page + 1);
  }
}

TEST(MemoryEstimate, PeakIsTheLargerOfLoadAndRun) {
  for (const WeightFormat format : {WeightFormat::kF32, WeightFormat::kInt8}) {
    const MemoryEstimate load = estimate_1b(format, 16);
    EXPECT_EQ(load.peak_bytes(), load.weight_bytes + load.load_peak_bytes);
    const MemoryEstimate run = estimate_1b(format, 16384, 100 * kMiB);
    EXPECT_EQ(run.peak_bytes(), run.weight_bytes + 100 * kMiB + run.activation_bytes);
    EXPECT_EQ(run.activation_bytes, 1024 * load.activation_bytes);
  }
}

// The largest spec that validate() lets through: the sums must not wrap to something small.
TEST(MemoryEstimate, DoesNotOverflow) {
  ModelSpec spec = tiny_spec();
  spec.layers = 1024;
  spec.hidden_size = 1 << 16;
  spec.heads = spec.kv_heads = 1024;
  spec.head_dim = 256;
  spec.intermediate_size = 1 << 20;
  ASSERT_NO_THROW(validate(spec));
  constexpr int32_t kMostTokens = std::numeric_limits<int32_t>::max();
  EXPECT_GT(estimate_memory(spec, WeightFormat::kF32, kMostTokens, 0).peak_bytes(), uint64_t{1} << 49);
  EXPECT_GT(estimate_memory(spec, WeightFormat::kInt8, kMostTokens, uint64_t{1} << 53).peak_bytes(), uint64_t{1} << 53);
}

// A machine's /proc and /sys, as far as they are read.
class AvailableMemory : public testing::Test {
 protected:
  AvailableMemory() { machine_.write("proc/meminfo", "MemTotal: 9000 kB\nMemFree: 1 kB\nMemAvailable:    4096 kB\n"); }

  void group(const std::string& folder, const std::string& limit, const std::string& usage, const std::string& stat) {
    machine_.write("sys/fs/cgroup/" + folder + "/memory.max", limit);
    machine_.write("sys/fs/cgroup/" + folder + "/memory.current", usage);
    machine_.write("sys/fs/cgroup/" + folder + "/memory.stat", stat);
  }
  uint64_t available() const { return available_memory_under(machine_.path("")); }

  TemporaryFolder machine_;
};

TEST_F(AvailableMemory, IsTheMachinesWithoutGroups) { EXPECT_EQ(available(), 4 * kMiB); }

TEST_F(AvailableMemory, GroupWithRoom) {
  machine_.write("proc/self/cgroup", "0::/app\n");
  group("app", "1048576000\n", "4096\n", "");
  EXPECT_EQ(available(), 4 * kMiB);
}

TEST_F(AvailableMemory, GroupIsTighterThanTheMachine) {
  machine_.write("proc/self/cgroup", "0::/app\n");
  group("app", "3145728\n", "1048576\n", "anon 1048576\ninactive_file 0\n");
  EXPECT_EQ(available(), 2 * kMiB);
}

TEST_F(AvailableMemory, PageCacheOfAGroupIsGivenUp) {
  machine_.write("proc/self/cgroup", "0::/app\n");
  group("app", "3145728\n", "3145728\n", "anon 1048576\ninactive_file 1048576\nactive_file 524288\n");
  EXPECT_EQ(available(), kMiB + kMiB / 2);
}

TEST_F(AvailableMemory, GroupAroundTheGroupBindsToo) {
  machine_.write("proc/self/cgroup", "0::/outer/inner\n");
  group("outer/inner", "max\n", "1048576\n", "");
  group("outer", "2097152\n", "1048576\n", "");
  EXPECT_EQ(available(), kMiB);
}

// Inside a container the group's own folder is the mount itself.
TEST_F(AvailableMemory, GroupAtTheMount) {
  machine_.write("proc/self/cgroup", "0::/\n");
  group("", "2097152\n", "1048576\n", "");
  EXPECT_EQ(available(), kMiB);
}

TEST_F(AvailableMemory, GroupBeyondItsLimitHasNothing) {
  machine_.write("proc/self/cgroup", "0::/app\n");
  group("app", "1048576\n", "2097152\n", "");
  EXPECT_EQ(available(), 0u);
}

TEST_F(AvailableMemory, FirstVersionOfTheInterface) {
  machine_.write("proc/self/cgroup", "12:cpu,cpuacct:/x\n5:memory:/app\n1:name=systemd:/y\n");
  machine_.write("sys/fs/cgroup/memory/app/memory.limit_in_bytes", "3145728\n");
  machine_.write("sys/fs/cgroup/memory/app/memory.usage_in_bytes", "2097152\n");
  machine_.write("sys/fs/cgroup/memory/app/memory.stat", "cache 1\ntotal_inactive_file 1048576\n");
  EXPECT_EQ(available(), 2 * kMiB);
}

TEST_F(AvailableMemory, NonsenseDoesNotLimit) {
  machine_.write("proc/self/cgroup", "nonsense\n0::/app\n::\n");
  group("app", "what\n", "\n", "inactive_file what\n");
  EXPECT_EQ(available(), 4 * kMiB);
}

TEST(ThisMachine, HasMemory) {
  EXPECT_GT(available_memory_bytes(), 0u);
  EXPECT_LT(available_memory_bytes(), std::numeric_limits<uint64_t>::max());
}

}  // namespace
}  // namespace saferoute::model
