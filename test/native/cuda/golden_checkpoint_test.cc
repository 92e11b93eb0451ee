// That the reader of the fixtures has read them: the device tests that build on it run on few machines.
#include "cuda/golden_checkpoint.h"

#include <gtest/gtest.h>

#include "model/tensor_table.h"
#include "model/weights.h"
#include "router/network.h"

namespace saferoute::test {
namespace {

class GoldenCheckpointTest : public testing::TestWithParam<const char*> {};

TEST_P(GoldenCheckpointTest, IsReadWhole) {
  const GoldenCheckpoint checkpoint = golden_checkpoint(GetParam());
  const cuda::GuardSource& source = checkpoint.source;
  const size_t prompts = checkpoint.prompts.size();
  EXPECT_EQ(prompts, 23u);
  EXPECT_EQ(checkpoint.features.size(), prompts * static_cast<size_t>(source.spec.hidden_size));
  EXPECT_EQ(checkpoint.logits.size(), prompts * source.verdict_ids.size());
  EXPECT_EQ(checkpoint.hardness.size(), prompts);
  const model::TensorTable table(source.paths, source.entries);
  for (int32_t layer = 0; layer < source.spec.layers; ++layer) {
    EXPECT_NO_THROW(model::load_layer(table, source.spec, layer));
  }
  EXPECT_EQ(model::load_head_rows(table, source.spec, source.verdict_ids).size(),
            source.verdict_ids.size() * static_cast<size_t>(source.spec.hidden_size));
  const model::TensorTable router(source.router->paths, source.router->entries);
  EXPECT_EQ(router::load_network(router, source.router->layers).input_size(), source.spec.hidden_size);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, GoldenCheckpointTest,
                         testing::Values("llama-tied-f16", "llama-untied-f32", "qwen3-tied-bf16",
                                         "qwen3-untied-bf16-sharded"));

}  // namespace
}  // namespace saferoute::test
