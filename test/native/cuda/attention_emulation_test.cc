// The kernels of attention, run from their own source on the CPU: no GPU, no nvcc. What this proves is the arithmetic
// of indices, barriers and copies; not that the instructions are the GPU's.
#include "cuda/attention_checks.h"
#include "cuda/attention_on_device.h"
#include "cuda/emulation/simt.h"

namespace saferoute::cuda {
namespace {

template <simt::Order kOrder>
class Emulated : public testing::Test {
 protected:
  void SetUp() override { simt::launch_order = kOrder; }
  void TearDown() override { simt::launch_order = simt::Order::kFirstWarpFirst; }

  static std::vector<uint16_t> run(const AttentionBatch& batch, bool spread) {
    AttentionOnDevice device(batch);
    device.attend(spread ? KeySpread::kWherePossible : KeySpread::kNever, nullptr);
    return device.outcomes();
  }
};

using Runners = testing::Types<Emulated<simt::Order::kFirstWarpFirst>, Emulated<simt::Order::kLastWarpFirst>>;
INSTANTIATE_TYPED_TEST_SUITE_P(Emulated, AttentionChecks, Runners);

}  // namespace
}  // namespace saferoute::cuda
