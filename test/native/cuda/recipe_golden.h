// What a GPU has to make of the prompts of a golden checkpoint, by the simulation of test/golden/device_recipe.py.
#pragma once

#include <string>
#include <vector>

#include "cuda/precision.h"

namespace saferoute::test {

struct RecipeGolden {
  std::vector<float> features;  // (prompts, hidden)
  std::vector<float> logits;    // (prompts, verdict_tokens)
  std::vector<float> hardness;  // (prompts)
};

// `name` as of golden_checkpoint(). Throws std::runtime_error where its file is not as expected.
RecipeGolden recipe_golden(const std::string& name, cuda::Precision precision);

}  // namespace saferoute::test
