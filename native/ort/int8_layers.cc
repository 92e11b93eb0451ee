#include "ort/int8_layers.h"

#include <algorithm>
#include <string>
#include <utility>

#include "cpu/cpu_features.h"
#include "engine/error.h"
#include "model/weights.h"
#include "ort/ort_backend.h"  // int8_weight_bits

namespace saferoute::ort {

// Of the library's products only those of x86 without VNNI add pairs of products up in 16 bits.
int32_t int8_weight_bits() {
  const std::vector<std::string> features = cpu::cpu_features();
  const bool exact = std::ranges::any_of(features, [](const std::string& feature) {
    return feature == "avx512_vnni" || feature == "avx_vnni" || feature == "neon";
  });
  return exact ? 8 : 7;
}

Int8Layers::Int8Layers(const model::TensorTable& table, const model::ModelSpec& spec,
                       std::optional<model::WeightCachePlan> cache)
    : table_(table), spec_(spec), cache_(std::move(cache)) {
  if (!cache_) return;
  try {
    reader_ = std::make_unique<model::WeightCacheReader>(*cache_);
    read_ahead(0);
  } catch (const Error&) {
    start_writing(0);
  }
}

model::Int8LayerWeights Int8Layers::load(int32_t layer) {
  if (auto cached = read(layer)) return std::move(*cached);
  model::Int8LayerWeights converted = model::load_int8_layer(table_, spec_, layer, int8_weight_bits());
  write(layer, converted);
  return converted;
}

engine::WeightCacheOutcome Int8Layers::finish() {
  using Kind = engine::WeightCacheOutcome::Kind;
  if (!cache_) return {};
  if (reader_) return {.kind = Kind::kRead, .warning = ""};
  if (writer_) {
    try {
      writer_->commit();
      return {.kind = Kind::kWritten, .warning = ""};
    } catch (const Error& error) {
      give_up(error.what());
    }
  }
  return {.kind = Kind::kUnusable, .warning = warning_};
}

void Int8Layers::read_ahead(int32_t layer) {
  ahead_ = std::async([this, layer] { return reader_->read_layer(layer); });
}

// The four matrices out of the cache, the norms out of the checkpoint; nothing where the cache is damaged or absent.
std::optional<model::Int8LayerWeights> Int8Layers::read(int32_t layer) {
  if (!reader_) return std::nullopt;
  std::optional<model::Int8LayerWeights> weights;
  try {
    weights = ahead_.get();
  } catch (const Error&) {
    start_writing(layer);
    return std::nullopt;
  }
  if (layer + 1 < spec_.layers) read_ahead(layer + 1);
  model::LayerWeights norms = model::load_layer_norms(table_, spec_, layer);
  weights->input_norm = std::move(norms.input_norm);
  weights->q_norm = std::move(norms.q_norm);
  weights->k_norm = std::move(norms.k_norm);
  weights->post_norm = std::move(norms.post_norm);
  return weights;
}

// A new file, whose layers before `layer` are those that were read from the old one.
void Int8Layers::start_writing(int32_t layer) {
  const std::unique_ptr<model::WeightCacheReader> good = std::move(reader_);
  try {
    writer_ = std::make_unique<model::WeightCacheWriter>(*cache_);
    for (int32_t index = 0; index < layer; ++index) writer_->write_layer(index, good->read_layer(index));
  } catch (const Error& error) {
    give_up(error.what());
  }
}

void Int8Layers::write(int32_t layer, const model::Int8LayerWeights& weights) {
  if (!writer_) return;
  try {
    writer_->write_layer(layer, weights);
  } catch (const Error& error) {
    give_up(error.what());
  }
}

void Int8Layers::give_up(const std::string& why) {
  writer_.reset();
  warning_ = why;
}

}  // namespace saferoute::ort
