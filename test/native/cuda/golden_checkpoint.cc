#include "cuda/golden_checkpoint.h"

#include <filesystem>

#include "cuda/checkpoint_files.h"

namespace saferoute::test {
namespace {

const std::filesystem::path kFixtures = SAFEROUTE_FIXTURES;

cuda::RouterSource official_router(int32_t hidden) {
  TensorFiles files = read_file(kFixtures / "routers" / ("official-" + std::to_string(hidden) + ".safetensors"));
  const auto layer = [](const std::string& linear, const std::string& norm) {
    router::LayerNames names;
    names.weight = linear + ".weight_mu";
    names.bias = linear + ".bias_mu";
    if (norm.empty()) return names;
    names.layer_norm = router::NormNames{.weight = norm + ".weight", .bias = norm + ".bias"};
    names.activation = router::Activation::kRelu;
    return names;
  };
  return {.paths = std::move(files.paths),
          .entries = std::move(files.entries),
          .layers = {layer("cls.0", "cls.1"), layer("cls.3", "cls.4"), layer("cls.6", "")}};
}

}  // namespace

GoldenCheckpoint golden_checkpoint(const std::string& name) {
  const std::filesystem::path folder = kFixtures / "checkpoints";
  const TensorFiles golden = read_file(folder / (name + ".golden.safetensors"));
  TensorFiles weights = read_folder(folder / name);
  GoldenCheckpoint checkpoint;
  cuda::GuardSource& source = checkpoint.source;
  source.spec = read_config(folder / name);
  source.paths = std::move(weights.paths);
  source.entries = std::move(weights.entries);
  source.verdict_ids = ids_of(golden, "verdict_ids");
  source.verdict_unsafe.assign(source.verdict_ids.size(), 1);
  source.verdict_unsafe.front() = 0;
  source.router = official_router(source.spec.hidden_size);
  source.kv_bytes = 1 << 20;
  checkpoint.prompts = cut_prompts(ids_of(golden, "ids"), ids_of(golden, "lengths"));
  checkpoint.features = floats_of(golden, "features");
  checkpoint.logits = floats_of(golden, "logits");
  checkpoint.hardness = floats_of(golden, "hardness_official");
  return checkpoint;
}

}  // namespace saferoute::test
