#include "cuda/embedded_pair.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "cuda/checkpoint_files.h"

namespace saferoute::test {
namespace {

ExpectedReadings readings_of(const TensorFiles& files, const std::string& guard) {
  ExpectedReadings readings{
      .prompts = cut_prompts(ids_of(files, guard + "_ids"), ids_of(files, guard + "_lengths")),
      .verdict_ids = ids_of(files, guard + "_verdict_ids"),
      .f32 = floats_of(files, guard + "_f32"),
      .int8 = floats_of(files, guard + "_int8"),
  };
  const size_t prompts = readings.prompts.size();
  if (prompts == 0 || readings.f32.size() != prompts || readings.int8.size() != prompts) {
    throw std::runtime_error(files.paths.front() + " has not one reading to a prompt of the " + guard + " guard");
  }
  return readings;
}

cuda::GuardSource guard_of(const std::filesystem::path& folder, const std::vector<int32_t>& verdict_ids) {
  TensorFiles weights = read_folder(folder);
  cuda::GuardSource source;
  source.spec = read_config(folder);
  source.paths = std::move(weights.paths);
  source.entries = std::move(weights.entries);
  source.verdict_ids = verdict_ids;
  source.verdict_unsafe = {0, 1};
  return source;
}

// The network of the published card: Linear-BatchNorm-GELU three times, then Linear.
cuda::RouterSource router_of(const std::filesystem::path& file) {
  const auto layer = [](int linear, int norm) {
    const std::string name = "cls." + std::to_string(linear);
    router::LayerNames names;
    names.weight = name + ".weight";
    names.bias = name + ".bias";
    if (norm == 0) return names;
    const std::string prefix = "cls." + std::to_string(norm);
    names.batch_norm = router::BatchNormNames{.weight = prefix + ".weight",
                                              .bias = prefix + ".bias",
                                              .running_mean = prefix + ".running_mean",
                                              .running_var = prefix + ".running_var"};
    names.activation = router::Activation::kGelu;
    return names;
  };
  TensorFiles files = read_file(file);
  return {.paths = std::move(files.paths),
          .entries = std::move(files.entries),
          .layers = {layer(0, 1), layer(4, 5), layer(8, 9), layer(12, 0)}};
}

}  // namespace

cuda::PairSource embedded_pair(const std::filesystem::path& folder, const ExpectedPair& expected) {
  cuda::PairSource pair;
  pair.small = guard_of(folder / "small", expected.small.verdict_ids);
  pair.small.router = router_of(folder / "router.safetensors");
  pair.large = guard_of(folder / "large", expected.large.verdict_ids);
  return pair;
}

ExpectedPair read_expected(const std::filesystem::path& file) {
  const TensorFiles files = read_file(file);
  ExpectedPair expected{.small = readings_of(files, "small"),
                        .large = readings_of(files, "large"),
                        .hardness_f32 = floats_of(files, "hardness_f32"),
                        .hardness_int8 = floats_of(files, "hardness_int8"),
                        .threshold = floats_of(files, "threshold").at(0)};
  const size_t prompts = expected.small.prompts.size();
  if (expected.large.prompts.size() != prompts || expected.hardness_f32.size() != prompts ||
      expected.hardness_int8.size() != prompts) {
    throw std::runtime_error(file.string() + " has not as many readings of both guards");
  }
  return expected;
}

}  // namespace saferoute::test
