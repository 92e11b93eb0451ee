#include "cuda/recipe_golden.h"

#include <filesystem>

#include "cuda/checkpoint_files.h"

namespace saferoute::test {

RecipeGolden recipe_golden(const std::string& name, cuda::Precision precision) {
  const std::filesystem::path folder = std::filesystem::path(SAFEROUTE_FIXTURES) / "checkpoints";
  const TensorFiles file = read_file(folder / (name + ".device.safetensors"));
  const std::string suffix = precision == cuda::Precision::kFp8 ? "_fp8" : "_bf16";
  return {.features = floats_of(file, "features" + suffix),
          .logits = floats_of(file, "logits" + suffix),
          .hardness = floats_of(file, "hardness" + suffix)};
}

}  // namespace saferoute::test
