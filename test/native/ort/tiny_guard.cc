#include "ort/tiny_guard.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <numbers>

#include "cpu/tile_unit.h"

namespace saferoute::test {
namespace {

constexpr int32_t kSafeId = 3;
constexpr int32_t kUnsafeId = 5;

// Rounds towards zero: what matters is that file and reference hold the same value.
float as_bf16(float value) { return std::bit_cast<float>(std::bit_cast<uint32_t>(value) & 0xffff0000u); }

// To eight significant bits, ties to even.
double nearest_bf16(double value) {
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(mantissa, 8)), exponent - 8);
}

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

}  // namespace

TinyGuard::TinyGuard(model::ModelSpec spec, model::DType dtype, float gain) : spec_(spec), dtype_(dtype), random_(1) {
  std::string name = (std::filesystem::temp_directory_path() / "saferoute-guard-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = name;

  fill("model.embed_tokens.weight", {spec.vocab_size, spec.hidden_size}, 0, 1);
  if (!spec.tied_head) fill("lm_head.weight", {spec.vocab_size, spec.hidden_size}, 0, 0.5);
  fill("model.norm.weight", {spec.hidden_size}, 1, 0.2f);
  for (int32_t layer = 0; layer < spec.layers; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    fill(prefix + "input_layernorm.weight", {spec.hidden_size}, 1, 0.2f);
    fill(prefix + "self_attn.q_proj.weight", {spec.query_size(), spec.hidden_size}, 0, 0.4f * gain);
    fill(prefix + "self_attn.k_proj.weight", {spec.kv_size(), spec.hidden_size}, 0, 0.4f * gain);
    fill(prefix + "self_attn.v_proj.weight", {spec.kv_size(), spec.hidden_size}, 0, 0.4f * gain);
    fill(prefix + "self_attn.o_proj.weight", {spec.hidden_size, spec.query_size()}, 0, 0.4f * gain);
    if (spec.qk_norm) {
      fill(prefix + "self_attn.q_norm.weight", {spec.head_dim}, 1, 0.3f);
      fill(prefix + "self_attn.k_norm.weight", {spec.head_dim}, 1, 0.3f);
    }
    fill(prefix + "post_attention_layernorm.weight", {spec.hidden_size}, 1, 0.2f);
    fill(prefix + "mlp.gate_proj.weight", {spec.intermediate_size, spec.hidden_size}, 0, 0.3f * gain);
    fill(prefix + "mlp.up_proj.weight", {spec.intermediate_size, spec.hidden_size}, 0, 0.3f * gain);
    fill(prefix + "mlp.down_proj.weight", {spec.hidden_size, spec.intermediate_size}, 0, 0.3f * gain);
  }
}

TinyGuard::~TinyGuard() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void TinyGuard::fill(const std::string& name, std::vector<int64_t> shape, float center, float spread) {
  int64_t elements = 1;
  for (const int64_t size : shape) elements *= size;
  std::uniform_real_distribution<float> noise(-spread, spread);
  std::vector<float> values(static_cast<size_t>(elements));
  for (float& value : values)
    value = dtype_ == model::DType::kF32 ? center + noise(random_) : as_bf16(center + noise(random_));
  tensors_[name] = {std::move(shape), std::move(values)};
}

void TinyGuard::add_router(int32_t inputs) {
  std::uniform_real_distribution<float> noise(-0.2f, 0.2f);
  std::vector<float> weight(static_cast<size_t>(inputs));
  for (float& value : weight) value = noise(random_);
  router_["weight"] = {{1, inputs}, std::move(weight)};
  router_["bias"] = {{1}, {0.25f}};
}

double TinyGuard::reference_hardness(const std::vector<double>& feature) const {
  double sum = router_.at("bias").values[0];
  for (size_t i = 0; i < feature.size(); ++i) sum += router_.at("weight").values[i] * feature[i];
  return sigmoid(sum);
}

void TinyGuard::set(const std::string& tensor, size_t index, float value) {
  tensors_.at(tensor).values.at(index) = value;
}

void TinyGuard::remove(const std::string& tensor) { tensors_.erase(tensor); }

std::vector<model::TensorEntry> TinyGuard::write(const std::string& path, model::DType dtype,
                                                 const std::map<std::string, Tensor>& tensors) const {
  std::ofstream file(path, std::ios::binary);
  file.write("head", 3);  // so that no tensor is aligned
  uint64_t offset = 3;
  std::vector<model::TensorEntry> entries;
  for (const auto& [name, tensor] : tensors) {
    const uint64_t bytes = tensor.values.size() * model::dtype_bytes(dtype);
    for (const float value : tensor.values) {
      const uint32_t bits = std::bit_cast<uint32_t>(value);
      if (dtype == model::DType::kF32) file.write(reinterpret_cast<const char*>(&bits), 4);
      if (dtype == model::DType::kBF16) file.write(reinterpret_cast<const char*>(&bits) + 2, 2);
    }
    entries.push_back(
        {.name = name, .dtype = dtype, .shape = tensor.shape, .file = 0, .offset = offset, .bytes = bytes});
    offset += bytes;
  }
  return entries;
}

ort::GuardSource TinyGuard::source() {
  const std::string path = folder_ / "model.bin";
  ort::GuardSource source{
      .spec = spec_,
      .paths = {path},
      .entries = write(path, dtype_, tensors_),
      .verdict_ids = {kSafeId, kUnsafeId},
      .verdict_unsafe = {0, 1},
      .router = std::nullopt,
      .weight_cache = std::nullopt,
      .batch_tokens = 512,
      .memory_limit_bytes = 0,
  };
  if (!router_.empty()) {
    const std::string router_path = folder_ / "router.bin";
    source.router = ort::RouterSource{
        .paths = {router_path},
        .entries = write(router_path, model::DType::kF32, router_),
        .layers = {{.weight = "weight", .bias = "bias", .layer_norm = {}, .batch_norm = {}}},
    };
  }
  return source;
}

model::WeightCachePlan TinyGuard::weight_cache() const {
  model::WeightCachePlan plan{.path = folder_ / "int8.cache", .header = "the head of the file", .entries = {}};
  uint64_t offset = plan.header.size();
  const auto add = [&](const std::string& name, model::DType dtype, std::vector<int64_t> shape) {
    uint64_t bytes = model::dtype_bytes(dtype);
    for (const int64_t size : shape) bytes *= static_cast<uint64_t>(size);
    plan.entries.push_back(
        {.name = name, .dtype = dtype, .shape = std::move(shape), .file = 0, .offset = offset, .bytes = bytes});
    offset += bytes;
  };
  for (int32_t layer = 0; layer < spec_.layers; ++layer) {
    const auto add_matrix = [&](const char* what, int64_t outputs, int64_t inputs) {
      const std::string name = "layers." + std::to_string(layer) + "." + what;
      add(name + ".values", model::DType::kI8, {inputs, outputs});
      add(name + ".scales", model::DType::kF32, {outputs});
    };
    add_matrix("qkv", spec_.qkv_size(), spec_.hidden_size);
    add_matrix("output", spec_.hidden_size, spec_.query_size());
    add_matrix("gate_up", 2 * spec_.intermediate_size, spec_.hidden_size);
    add_matrix("down", spec_.hidden_size, spec_.intermediate_size);
  }
  add("checksums", model::DType::kI64, {static_cast<int64_t>(plan.entries.size())});
  plan.file_bytes = offset;
  return plan;
}

std::vector<double> TinyGuard::linear(const std::string& weight, const std::vector<double>& x) const {
  const Tensor& tensor = tensors_.at(weight);
  std::vector<double> y(static_cast<size_t>(tensor.shape[0]), 0.0);
  for (size_t row = 0; row < y.size(); ++row) {
    for (size_t i = 0; i < x.size(); ++i) y[row] += tensor.values[row * x.size() + i] * x[i];
  }
  return y;
}

// The same through int8: each output's weights share a scale, and so do all inputs.
std::vector<double> TinyGuard::project(const std::string& weight, const std::vector<double>& x,
                                       int32_t int8_bits) const {
  if (int8_bits == 0) return linear(weight, x);
  const std::vector<float>& values = tensors_.at(weight).values;
  const double limit = int8_bits == 8 ? 127 : 63;
  const auto largest = [](auto begin, auto end) {
    double most = 0;
    for (; begin != end; ++begin) most = std::max(most, std::abs(static_cast<double>(*begin)));
    return most;
  };
  const double x_scale = largest(x.begin(), x.end()) / 127;
  std::vector<double> y(values.size() / x.size(), 0.0);
  for (size_t row = 0; row < y.size(); ++row) {
    const float* const w = values.data() + row * x.size();
    const double w_scale = largest(w, w + x.size()) / limit;
    for (size_t i = 0; i < x.size(); ++i) y[row] += std::nearbyint(w[i] / w_scale) * std::nearbyint(x[i] / x_scale);
    y[row] *= w_scale * x_scale;
  }
  return y;
}

// By the weight's own width, so that it does for whole rows and for single heads.
std::vector<double> TinyGuard::rms_norm(const std::string& weight, const std::vector<double>& x) const {
  const std::vector<float>& scale = tensors_.at(weight).values;
  double squares = 0;
  for (const double value : x) squares += value * value;
  const double norm = 1.0 / std::sqrt(squares / static_cast<double>(x.size()) + spec_.rms_norm_eps);
  std::vector<double> y(x.size());
  for (size_t i = 0; i < x.size(); ++i) y[i] = scale[i] * x[i] * norm;
  return y;
}

void TinyGuard::rotate(std::vector<double>& head, int64_t position) const {
  const size_t half = head.size() / 2;
  for (size_t i = 0; i < half; ++i) {
    double frequency = std::pow(spec_.rope_theta, -static_cast<double>(i) / static_cast<double>(half));
    if (const auto& scaling = spec_.rope_scaling) {
      const double turns = scaling->original_max_positions * frequency / (2 * std::numbers::pi);
      double kept = (turns - scaling->low_freq_factor) / (scaling->high_freq_factor - scaling->low_freq_factor);
      kept = std::min(1.0, std::max(0.0, kept));
      frequency = kept * frequency + (1 - kept) * frequency / scaling->factor;
    }
    const double angle = static_cast<double>(position) * frequency;
    const double a = head[i];
    const double b = head[i + half];
    head[i] = a * std::cos(angle) - b * std::sin(angle);
    head[i + half] = b * std::cos(angle) + a * std::sin(angle);
  }
}

// softmax(query · keys / sqrt(head_dim)) · values of one head. `rounded`: as the tile unit does it within one block of
// keys, with queries, keys, values and weights, but not the weights' sum, rounded to bf16.
std::vector<double> TinyGuard::attend_head(const std::vector<double>& query, size_t visible, size_t kv_head,
                                           const Heads& keys, const Heads& values, bool rounded) const {
  const auto as_kept = [&](double value) { return rounded ? nearest_bf16(value) : value; };
  const double scale = 1.0 / std::sqrt(static_cast<double>(query.size()));
  std::vector<double> weights(visible);
  for (size_t j = 0; j < visible; ++j) {
    for (size_t d = 0; d < query.size(); ++d) {
      weights[j] += as_kept(query[d] * scale) * as_kept(keys[j][kv_head][d]);
    }
  }
  const double maximum = *std::ranges::max_element(weights);
  double total = 0;
  for (double& weight : weights) total += weight = std::exp(weight - maximum);
  std::vector<double> out(query.size());
  for (size_t j = 0; j < visible; ++j) {
    for (size_t d = 0; d < query.size(); ++d) {
      out[d] += as_kept(weights[j]) * as_kept(values[j][kv_head][d]) / total;
    }
  }
  return out;
}

void TinyGuard::attend(const std::string& layer, std::vector<std::vector<double>>& stream, int32_t int8_bits) const {
  const auto head_dim = static_cast<size_t>(spec_.head_dim);
  const auto head_of = [&](const std::vector<double>& all, size_t index) {
    return std::vector<double>(all.begin() + static_cast<long>(index * head_dim),
                               all.begin() + static_cast<long>((index + 1) * head_dim));
  };
  Heads queries, keys, values;
  for (size_t t = 0; t < stream.size(); ++t) {
    const std::vector<double> x = rms_norm(layer + "input_layernorm.weight", stream[t]);
    const auto heads_of = [&](const char* name, int32_t heads, bool rope, auto& out) {
      const std::vector<double> all = project(layer + "self_attn." + name + "_proj.weight", x, int8_bits);
      auto& token = out.emplace_back();
      for (size_t h = 0; h < static_cast<size_t>(heads); ++h) {
        std::vector<double> head = head_of(all, h);
        if (rope && spec_.qk_norm) head = rms_norm(layer + "self_attn." + name + "_norm.weight", head);
        if (rope) rotate(head, static_cast<int64_t>(t));
        token.push_back(std::move(head));
      }
    };
    heads_of("q", spec_.heads, true, queries);
    heads_of("k", spec_.kv_heads, true, keys);
    heads_of("v", spec_.kv_heads, false, values);
  }
  const bool rounded = int8_bits > 0 && cpu::has_bf16_tiles();
  const auto group = static_cast<size_t>(spec_.heads / spec_.kv_heads);
  for (size_t t = 0; t < stream.size(); ++t) {
    std::vector<double> attended;
    for (size_t h = 0; h < static_cast<size_t>(spec_.heads); ++h) {
      const std::vector<double> out = attend_head(queries[t][h], t + 1, h / group, keys, values, rounded);
      attended.insert(attended.end(), out.begin(), out.end());
    }
    const std::vector<double> delta = project(layer + "self_attn.o_proj.weight", attended, int8_bits);
    for (size_t i = 0; i < delta.size(); ++i) stream[t][i] += delta[i];
  }
}

void TinyGuard::feed_forward(const std::string& layer, std::vector<std::vector<double>>& stream,
                             int32_t int8_bits) const {
  for (std::vector<double>& token : stream) {
    const std::vector<double> x = rms_norm(layer + "post_attention_layernorm.weight", token);
    std::vector<double> gate = project(layer + "mlp.gate_proj.weight", x, int8_bits);
    const std::vector<double> up = project(layer + "mlp.up_proj.weight", x, int8_bits);
    for (size_t i = 0; i < gate.size(); ++i) gate[i] *= sigmoid(gate[i]) * up[i];
    const std::vector<double> delta = project(layer + "mlp.down_proj.weight", gate, int8_bits);
    for (size_t i = 0; i < delta.size(); ++i) token[i] += delta[i];
  }
}

ReferenceReading TinyGuard::reference(const std::vector<int32_t>& prompt, int32_t int8_bits) const {
  const auto hidden = static_cast<size_t>(spec_.hidden_size);
  const std::vector<float>& embeddings = tensors_.at("model.embed_tokens.weight").values;
  std::vector<std::vector<double>> stream;
  for (const int32_t id : prompt) {
    const auto row = embeddings.begin() + static_cast<long>(static_cast<size_t>(id) * hidden);
    stream.emplace_back(row, row + static_cast<long>(hidden));
  }
  for (int32_t layer = 0; layer < spec_.layers; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    attend(prefix, stream, int8_bits);
    feed_forward(prefix, stream, int8_bits);
  }
  ReferenceReading reading;
  reading.feature = rms_norm("model.norm.weight", stream.back());
  const std::vector<double> all =
      linear(spec_.tied_head ? "model.embed_tokens.weight" : "lm_head.weight", reading.feature);
  reading.logits = {all[kSafeId], all[kUnsafeId]};
  return reading;
}

model::ModelSpec llama_spec() {
  return {.layers = 3,
          .hidden_size = 40,
          .heads = 6,
          .kv_heads = 2,
          .head_dim = 12,
          .intermediate_size = 56,
          .vocab_size = 67,
          .max_positions = 8192,
          .rms_norm_eps = 1e-5f,
          .rope_theta = 500.0,
          .rope_scaling = model::Llama3RopeScaling{
              .factor = 8.0f, .low_freq_factor = 1.0f, .high_freq_factor = 4.0f, .original_max_positions = 128}};
}

model::ModelSpec qwen_spec() {
  return {.layers = 2,
          .hidden_size = 24,
          .heads = 4,
          .kv_heads = 4,
          .head_dim = 32,
          .intermediate_size = 48,
          .vocab_size = 67,
          .max_positions = 8192,
          .rms_norm_eps = 1e-6f,
          .rope_theta = 1e6,
          .rope_scaling = std::nullopt,
          .qk_norm = true,
          .tied_head = true};
}

double cosine(const std::vector<float>& a, const std::vector<double>& b) {
  double dot = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    dot += a.at(i) * b[i];
    aa += static_cast<double>(a[i]) * a[i];
    bb += b[i] * b[i];
  }
  return dot / std::sqrt(aa * bb);
}

ort::RuntimeOptions runtime_options() { return {.library_path = SAFEROUTE_ORT_LIBRARY, .threads = 2}; }

std::unique_ptr<engine::Backend> load(ort::GuardSource source, std::stop_token stop) {
  return ort::make_ort_backend_factory(runtime_options(), std::move(source))(std::move(stop));
}

}  // namespace saferoute::test
