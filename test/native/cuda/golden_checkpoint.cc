#include "cuda/golden_checkpoint.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <regex>
#include <stdexcept>

namespace saferoute::test {
namespace {

const std::filesystem::path kFixtures = SAFEROUTE_FIXTURES;

struct TensorFiles {
  std::vector<std::string> paths;
  std::vector<model::TensorEntry> entries;
};

// Of the tensors that have one of the native types; others, such as int32, are left to read_values().
void add_file(const std::filesystem::path& path, TensorFiles& files) {
  static const std::regex kTensor(
      R"re("([^"]+)":\{"dtype":"([A-Z0-9]+)","shape":\[([0-9,]*)\],"data_offsets":\[([0-9]+),([0-9]+)\]\})re");
  std::ifstream file(path, std::ios::binary);
  uint64_t header_bytes = 0;
  file.read(reinterpret_cast<char*>(&header_bytes), sizeof(header_bytes));
  std::string header(static_cast<size_t>(file ? header_bytes : 0), '\0');
  if (!file.read(header.data(), static_cast<std::streamsize>(header.size()))) {
    throw std::runtime_error(path.string() + " has no header");
  }
  for (std::sregex_iterator match(header.begin(), header.end(), kTensor), end; match != end; ++match) {
    const std::string dtype = (*match)[2];
    model::TensorEntry entry{.name = (*match)[1], .dtype = model::DType::kF32, .shape = {}};
    if (dtype == "F16") entry.dtype = model::DType::kF16;
    if (dtype == "BF16") entry.dtype = model::DType::kBF16;
    const std::string shape = (*match)[3];
    static const std::regex kNumber("[0-9]+");
    for (std::sregex_iterator size(shape.begin(), shape.end(), kNumber); size != end; ++size) {
      entry.shape.push_back(std::stoll(size->str()));
    }
    const uint64_t begin = std::stoull((*match)[4]);
    entry.file = static_cast<uint32_t>(files.paths.size());
    entry.offset = sizeof(header_bytes) + header_bytes + begin;
    entry.bytes = std::stoull((*match)[5]) - begin;
    files.entries.push_back(std::move(entry));
  }
  files.paths.push_back(path.string());
}

template <typename T>
std::vector<T> read_values(const TensorFiles& files, const std::string& name) {
  const auto entry = std::ranges::find(files.entries, name, &model::TensorEntry::name);
  if (entry == files.entries.end()) throw std::runtime_error(files.paths.front() + " has no " + name);
  std::vector<T> values(static_cast<size_t>(entry->bytes) / sizeof(T));
  std::ifstream file(files.paths[entry->file], std::ios::binary);
  file.seekg(static_cast<std::streamoff>(entry->offset));
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(entry->bytes));
  if (!file) throw std::runtime_error(files.paths.front() + " ends within " + name);
  return values;
}

// The config.json of the fixtures, by family.
model::ModelSpec spec_of(const std::string& name) {
  model::ModelSpec spec;
  spec.layers = 2;
  spec.kv_heads = 2;
  spec.max_positions = 512;
  spec.tied_head = name.find("-tied-") != std::string::npos;
  if (name.starts_with("llama")) {
    spec.hidden_size = 48;
    spec.heads = 6;
    spec.head_dim = 16;
    spec.intermediate_size = 80;
    spec.vocab_size = 525;
    spec.rms_norm_eps = 1e-3f;
    spec.rope_theta = 1e4;
    spec.rope_scaling = {.factor = 8, .low_freq_factor = 1, .high_freq_factor = 4, .original_max_positions = 64};
  } else {
    spec.hidden_size = 64;
    spec.heads = 4;
    spec.head_dim = 24;
    spec.intermediate_size = 96;
    spec.vocab_size = 526;
    spec.rms_norm_eps = 2e-3f;
    spec.rope_theta = 1e6;
    spec.qk_norm = true;
  }
  return spec;
}

cuda::RouterSource official_router(int32_t hidden) {
  TensorFiles files;
  add_file(kFixtures / "routers" / ("official-" + std::to_string(hidden) + ".safetensors"), files);
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
  TensorFiles golden;
  add_file(folder / (name + ".golden.safetensors"), golden);
  TensorFiles weights;
  std::vector<std::filesystem::path> shards;
  for (const auto& entry : std::filesystem::directory_iterator(folder / name)) {
    if (entry.path().extension() == ".safetensors") shards.push_back(entry.path());
  }
  std::ranges::sort(shards);
  for (const std::filesystem::path& shard : shards) add_file(shard, weights);

  GoldenCheckpoint checkpoint;
  cuda::GuardSource& source = checkpoint.source;
  source.spec = spec_of(name);
  source.paths = std::move(weights.paths);
  source.entries = std::move(weights.entries);
  source.verdict_ids = read_values<int32_t>(golden, "verdict_ids");
  source.verdict_unsafe.assign(source.verdict_ids.size(), 1);
  source.verdict_unsafe.front() = 0;
  source.router = official_router(source.spec.hidden_size);
  source.kv_bytes = 1 << 20;
  const std::vector<int32_t> ids = read_values<int32_t>(golden, "ids");
  auto next = ids.begin();
  for (const int32_t length : read_values<int32_t>(golden, "lengths")) {
    checkpoint.prompts.emplace_back(next, next + length);
    next += length;
  }
  checkpoint.features = read_values<float>(golden, "features");
  checkpoint.logits = read_values<float>(golden, "logits");
  checkpoint.hardness = read_values<float>(golden, "hardness_official");
  return checkpoint;
}

}  // namespace saferoute::test
