// Checkpoints in Hugging Face layout, read without the package's own parser: what a file of safetensors holds is named
// in one plain line of JSON, and of config.json a few numbers are wanted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "model/model_spec.h"
#include "model/tensor_table.h"

namespace saferoute::test {

struct TensorFiles {
  std::vector<std::string> paths;
  std::vector<model::TensorEntry> entries;  // those of f32, f16 and bf16 have their dtype, others that of f32
};

// Throws std::runtime_error for a file without a header.
TensorFiles read_file(const std::filesystem::path& path);

// Every file of safetensors in `folder`, in the order of their names.
TensorFiles read_folder(const std::filesystem::path& folder);

// All elements of a tensor, which are of 4 bytes. Throws std::runtime_error where it is not there or not whole.
std::vector<float> floats_of(const TensorFiles& files, const std::string& name);
std::vector<int32_t> ids_of(const TensorFiles& files, const std::string& name);

// What `folder`/config.json says of a Llama or a Qwen3. Throws std::runtime_error where a number is missing.
model::ModelSpec read_config(const std::filesystem::path& folder);

// Prompts out of their ids, back to back, and their lengths.
std::vector<std::vector<int32_t>> cut_prompts(const std::vector<int32_t>& ids, const std::vector<int32_t>& lengths);

}  // namespace saferoute::test
