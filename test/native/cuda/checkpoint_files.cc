#include "cuda/checkpoint_files.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <regex>
#include <stdexcept>

namespace saferoute::test {
namespace {

// Counts of 8 bytes, which no guard and no test reads, are left out.
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
    if (dtype == "I64") continue;
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
std::vector<T> values_of(const TensorFiles& files, const std::string& name) {
  const auto entry = std::ranges::find(files.entries, name, &model::TensorEntry::name);
  if (entry == files.entries.end()) throw std::runtime_error(files.paths.front() + " has no " + name);
  std::vector<T> values(static_cast<size_t>(entry->bytes) / sizeof(T));
  std::ifstream file(files.paths[entry->file], std::ios::binary);
  file.seekg(static_cast<std::streamoff>(entry->offset));
  file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(entry->bytes));
  if (!file) throw std::runtime_error(files.paths.front() + " ends within " + name);
  return values;
}

// The members of a config.json, whatever object they are in: no name comes twice.
class Config {
 public:
  explicit Config(const std::filesystem::path& path) : path_(path) {
    std::ifstream file(path);
    text_.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }

  bool says(const std::string& name, const std::string& value) const {
    return std::regex_search(text_, std::regex('"' + name + "\" *: *" + value + "\\b"));
  }

  std::optional<double> find(const std::string& name) const {
    std::smatch match;
    if (!std::regex_search(text_, match, std::regex('"' + name + "\" *: *([-+.eE0-9]+)"))) return {};
    return std::stod(match[1]);
  }

  double number(const std::string& name) const {
    if (const std::optional<double> found = find(name)) return *found;
    throw std::runtime_error(path_.string() + " has no number " + name);
  }
  int32_t size(const std::string& name) const { return static_cast<int32_t>(number(name)); }

 private:
  std::filesystem::path path_;
  std::string text_;
};

}  // namespace

TensorFiles read_file(const std::filesystem::path& path) {
  TensorFiles files;
  add_file(path, files);
  return files;
}

TensorFiles read_folder(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".safetensors") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  TensorFiles files;
  for (const std::filesystem::path& path : paths) add_file(path, files);
  return files;
}

std::vector<float> floats_of(const TensorFiles& files, const std::string& name) {
  return values_of<float>(files, name);
}

std::vector<int32_t> ids_of(const TensorFiles& files, const std::string& name) {
  return values_of<int32_t>(files, name);
}

model::ModelSpec read_config(const std::filesystem::path& folder) {
  const Config config(folder / "config.json");
  model::ModelSpec spec;
  spec.layers = config.size("num_hidden_layers");
  spec.hidden_size = config.size("hidden_size");
  spec.heads = config.size("num_attention_heads");
  spec.kv_heads = config.size("num_key_value_heads");
  spec.head_dim = config.size("head_dim");
  spec.intermediate_size = config.size("intermediate_size");
  spec.vocab_size = config.size("vocab_size");
  spec.max_positions = config.size("max_position_embeddings");
  spec.rms_norm_eps = static_cast<float>(config.number("rms_norm_eps"));
  spec.rope_theta = config.number("rope_theta");
  if (config.find("low_freq_factor")) {
    spec.rope_scaling = {.factor = static_cast<float>(config.number("factor")),
                         .low_freq_factor = static_cast<float>(config.number("low_freq_factor")),
                         .high_freq_factor = static_cast<float>(config.number("high_freq_factor")),
                         .original_max_positions = config.size("original_max_position_embeddings")};
  }
  spec.qk_norm = config.says("model_type", "\"qwen3");
  spec.tied_head = config.says("tie_word_embeddings", "true");
  return spec;
}

std::vector<std::vector<int32_t>> cut_prompts(const std::vector<int32_t>& ids, const std::vector<int32_t>& lengths) {
  std::vector<std::vector<int32_t>> prompts;
  auto next = ids.begin();
  for (const int32_t length : lengths) {
    if (length < 0 || length > ids.end() - next) throw std::runtime_error("prompts are longer than their ids");
    prompts.emplace_back(next, next + length);
    next += length;
  }
  return prompts;
}

}  // namespace saferoute::test
