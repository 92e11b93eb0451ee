#include "cuda/made_up_guard.h"

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <stdexcept>
#include <vector>

namespace saferoute::test {
namespace {

constexpr size_t kBlock = 4'000'037;  // elements; a prime, so that rows of a matrix differ

// Bits of bf16 numbers evenly spread over (-1, 1), times `scale`; around 1 where `is_norm`. Others for every seed.
std::vector<uint16_t> random_block(float scale, bool is_norm, uint64_t seed) {
  std::vector<uint16_t> block(kBlock);
  uint64_t state = (seed + 1) * 0x9E3779B97F4A7C15ull;
  for (uint16_t& bits : block) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    const float noise = static_cast<float>(static_cast<int32_t>(state >> 32)) / 2147483648.0f;
    const float value = (is_norm ? 1.0f : 0.0f) + noise * scale;
    uint32_t word = 0;
    static_assert(sizeof(word) == sizeof(value));
    __builtin_memcpy(&word, &value, sizeof(word));
    bits = static_cast<uint16_t>(word >> 16);
  }
  return block;
}

class RawFile {
 public:
  explicit RawFile(std::string path) : path_(std::move(path)) {}

  void add(const std::string& name, std::vector<int64_t> shape, float scale, bool is_norm = false) {
    int64_t elements = 1;
    for (const int64_t size : shape) elements *= size;
    const auto bytes = static_cast<uint64_t>(elements) * sizeof(uint16_t);
    entries_.push_back({.name = name,
                        .dtype = model::DType::kBF16,
                        .shape = std::move(shape),
                        .file = 0,
                        .offset = bytes_,
                        .bytes = bytes});
    fills_.push_back({scale, is_norm});
    bytes_ += bytes;
  }

  // Leaves a file of the right size alone: what it holds follows from its name.
  std::vector<model::TensorEntry> write() const {
    std::error_code missing;
    if (std::filesystem::file_size(path_, missing) == bytes_ && !missing) return entries_;
    std::ofstream file(path_, std::ios::binary | std::ios::trunc);
    for (size_t i = 0; i < entries_.size(); ++i) {
      const std::vector<uint16_t> block = random_block(fills_[i].scale, fills_[i].is_norm, i);
      for (uint64_t left = entries_[i].bytes / sizeof(uint16_t); left > 0;) {
        const uint64_t part = std::min<uint64_t>(left, block.size());
        file.write(reinterpret_cast<const char*>(block.data()), static_cast<std::streamsize>(part * sizeof(uint16_t)));
        left -= part;
      }
    }
    if (!file.flush()) throw std::runtime_error("could not write " + path_);
    return entries_;
  }

 private:
  struct Fill {
    float scale = 0;
    bool is_norm = false;
  };

  std::string path_;
  std::vector<model::TensorEntry> entries_;
  std::vector<Fill> fills_;
  uint64_t bytes_ = 0;
};

// As wide as keeps the residual stream's size from layer to layer.
float spread(int32_t inputs) { return 1.0f / std::sqrt(static_cast<float>(inputs)); }

void add_layer(RawFile& file, const model::ModelSpec& spec, int32_t index) {
  const std::string prefix = "model.layers." + std::to_string(index) + ".";
  const auto matrix = [&](const char* name, int32_t outputs, int32_t inputs) {
    file.add(prefix + name + ".weight", {outputs, inputs}, spread(inputs));
  };
  file.add(prefix + "input_layernorm.weight", {spec.hidden_size}, 0.1f, true);
  file.add(prefix + "post_attention_layernorm.weight", {spec.hidden_size}, 0.1f, true);
  matrix("self_attn.q_proj", spec.query_size(), spec.hidden_size);
  matrix("self_attn.k_proj", spec.kv_size(), spec.hidden_size);
  matrix("self_attn.v_proj", spec.kv_size(), spec.hidden_size);
  matrix("self_attn.o_proj", spec.hidden_size, spec.query_size());
  matrix("mlp.gate_proj", spec.intermediate_size, spec.hidden_size);
  matrix("mlp.up_proj", spec.intermediate_size, spec.hidden_size);
  matrix("mlp.down_proj", spec.hidden_size, spec.intermediate_size);
}

cuda::RouterSource made_up_router(const std::string& folder, int32_t inputs) {
  cuda::RouterSource source{
      .paths = {folder + "/router-" + std::to_string(inputs) + ".bin"}, .entries = {}, .layers = {}};
  RawFile file(source.paths.front());
  for (const int32_t outputs : {1024, 512, 256, 1}) {
    const std::string name = "linear" + std::to_string(outputs);
    file.add(name + ".weight", {outputs, inputs}, spread(inputs));
    file.add(name + ".bias", {outputs}, 0.1f);
    router::LayerNames names;
    names.weight = name + ".weight";
    names.bias = name + ".bias";
    names.activation = outputs == 1 ? router::Activation::kNone : router::Activation::kGelu;
    source.layers.push_back(std::move(names));
    inputs = outputs;
  }
  source.entries = file.write();
  return source;
}

}  // namespace

cuda::GuardSource made_up_guard(const std::string& folder, const std::string& name, const model::ModelSpec& spec,
                                bool router) {
  cuda::GuardSource source;
  source.spec = spec;
  source.paths = {folder + "/" + name + ".bin"};
  source.verdict_ids = {19193, 39257};  // "safe" and "unsafe" in Llama 3's vocabulary
  source.verdict_unsafe = {0, 1};
  RawFile file(source.paths.front());
  file.add("model.embed_tokens.weight", {spec.vocab_size, spec.hidden_size}, 1.0f);
  for (int32_t layer = 0; layer < spec.layers; ++layer) add_layer(file, spec, layer);
  file.add("model.norm.weight", {spec.hidden_size}, 0.1f, true);
  file.add("lm_head.weight", {spec.vocab_size, spec.hidden_size}, spread(spec.hidden_size));
  source.entries = file.write();
  if (router) source.router = made_up_router(folder, spec.hidden_size);
  return source;
}

}  // namespace saferoute::test
