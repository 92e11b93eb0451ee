// That the embedded pair is read as a checkpoint is: the device tests that build on it run on few machines.
#include "cuda/checkpoint_files.h"

#include <filesystem>
#include <stdexcept>

#include <gtest/gtest.h>

#include "cuda/embedded_pair.h"
#include "model/tensor_table.h"
#include "model/weights.h"
#include "router/network.h"

namespace saferoute::test {
namespace {

void expect_whole(const cuda::GuardSource& source) {
  const model::TensorTable table(source.paths, source.entries);
  for (int32_t layer = 0; layer < source.spec.layers; ++layer) {
    EXPECT_NO_THROW(model::load_layer(table, source.spec, layer));
  }
  EXPECT_EQ(model::load_head_rows(table, source.spec, source.verdict_ids).size(),
            source.verdict_ids.size() * static_cast<size_t>(source.spec.hidden_size));
}

TEST(EmbeddedPairReader, ReadsBothGuardsAndTheRouter) {
  ExpectedPair expected;
  expected.small.verdict_ids = {1, 2};
  expected.large.verdict_ids = {3, 4};
  const cuda::PairSource pair = embedded_pair(SAFEROUTE_EMBEDDED_PAIR, expected);
  expect_whole(pair.small);
  ASSERT_TRUE(pair.large.has_value());
  expect_whole(*pair.large);
  EXPECT_EQ(pair.large->verdict_ids, (std::vector<int32_t>{3, 4}));
  const model::TensorTable router(pair.small.router->paths, pair.small.router->entries);
  EXPECT_EQ(router::load_network(router, pair.small.router->layers).input_size(), pair.small.spec.hidden_size);
}

TEST(CheckpointFiles, RefusesWhatIsNotThere) {
  EXPECT_THROW(read_config("/nowhere"), std::runtime_error);
  EXPECT_THROW(read_file("/nowhere/model.safetensors"), std::runtime_error);
  const TensorFiles files = read_folder(std::filesystem::path(SAFEROUTE_EMBEDDED_PAIR) / "small");
  EXPECT_THROW(floats_of(files, "no.such.tensor"), std::runtime_error);
}

TEST(CheckpointFiles, CutsPromptsAsLongAsTheirLengths) {
  EXPECT_EQ(cut_prompts({5, 6, 7}, {1, 2}), (std::vector<std::vector<int32_t>>{{5}, {6, 7}}));
  EXPECT_THROW(cut_prompts({5, 6, 7}, {2, 2}), std::runtime_error);
}

}  // namespace
}  // namespace saferoute::test
