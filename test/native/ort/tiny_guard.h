// Guards small enough to be made up on the spot: random weights, written as raw tensor files, and what a plain decoder
// in double precision says of a prompt. It shares no code with the backend that it is compared with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "ort/batches.h"
#include "ort/ort_backend.h"

namespace saferoute::test {

// The reading of one prompt.
struct ReferenceReading {
  std::vector<double> logits;   // (verdict_tokens)
  std::vector<double> feature;  // (hidden)
};

class TinyGuard {
 public:
  // A folder of its own, removed with it. `gain` makes its projections weaker or stronger.
  explicit TinyGuard(model::ModelSpec spec, model::DType dtype = model::DType::kF32, float gain = 1);
  ~TinyGuard();
  TinyGuard(const TinyGuard&) = delete;
  TinyGuard& operator=(const TinyGuard&) = delete;

  const model::ModelSpec& spec() const { return spec_; }

  // Adds a router of one layer: hardness = sigmoid(weight · feature + bias).
  void add_router(int32_t inputs);
  double reference_hardness(const std::vector<double>& feature) const;

  // Before source(): changes what will be written.
  void set(const std::string& tensor, size_t index, float value);
  void remove(const std::string& tensor);

  // Writes the files and says how to load them: verdict tokens are ids 3 (safe) and 5 (unsafe).
  ort::GuardSource source();

  // A cache of int8 weights beside the files, for source().weight_cache.
  model::WeightCachePlan weight_cache() const;

  // In double precision; with `int8_bits`, through the int8 recipe with weights of that many bits: per output channel,
  // activations per token, everything between two products of a layer unrounded, but attention as this CPU keeps keys
  // and values.
  ReferenceReading reference(const std::vector<int32_t>& prompt, int32_t int8_bits = 0) const;

 private:
  using Heads = std::vector<std::vector<std::vector<double>>>;  // (tokens, heads, head_dim)
  struct Tensor {
    std::vector<int64_t> shape;
    std::vector<float> values;  // as the file's dtype can hold them
  };

  void fill(const std::string& name, std::vector<int64_t> shape, float center, float spread);
  std::vector<model::TensorEntry> write(const std::string& path, model::DType dtype,
                                        const std::map<std::string, Tensor>& tensors) const;
  std::vector<double> linear(const std::string& weight, const std::vector<double>& x) const;
  std::vector<double> project(const std::string& weight, const std::vector<double>& x, int32_t int8_bits) const;
  std::vector<double> rms_norm(const std::string& weight, const std::vector<double>& x) const;
  void rotate(std::vector<double>& head, int64_t position) const;
  std::vector<double> attend_head(const std::vector<double>& query, size_t visible, size_t kv_head, const Heads& keys,
                                  const Heads& values, bool rounded) const;
  void attend(const std::string& layer, std::vector<std::vector<double>>& stream, int32_t int8_bits) const;
  void feed_forward(const std::string& layer, std::vector<std::vector<double>>& stream, int32_t int8_bits) const;

  model::ModelSpec spec_;
  model::DType dtype_;
  std::mt19937 random_;
  std::filesystem::path folder_;
  std::map<std::string, Tensor> tensors_;
  std::map<std::string, Tensor> router_;
};

// Shapes in which every switch is on somewhere: head_dim that is not hidden / heads, grouped queries, qk-norm, llama3
// rope scaling that bites within a few hundred tokens, tied and untied heads, tensors above and below the size that a
// graph keeps inside.
model::ModelSpec llama_spec();
model::ModelSpec qwen_spec();

double cosine(const std::vector<float>& a, const std::vector<double>& b);

// Where the tests find ONNX Runtime, and few enough threads to show that results do not depend on them.
ort::RuntimeOptions runtime_options();

std::unique_ptr<engine::Backend> load(ort::GuardSource source, std::stop_token stop = {});

}  // namespace saferoute::test
