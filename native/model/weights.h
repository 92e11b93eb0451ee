// Turns checkpoint tensors into the f32 arrays that a backend computes with.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/model_spec.h"
#include "model/tensor_table.h"

namespace saferoute::model {

// One decoder layer in f32, rows as in the checkpoint: (outputs, inputs).
struct LayerWeights {
  std::vector<float> input_norm;      // (hidden)
  std::vector<float> qkv;             // (qkv_size, hidden): query, key, value rows in that order
  std::vector<float> q_norm, k_norm;  // (head_dim); empty without qk-norm
  std::vector<float> output;          // (hidden, query_size)
  std::vector<float> post_norm;       // (hidden)
  std::vector<float> gate_up;         // (2 * intermediate, hidden): gate rows, then up rows
  std::vector<float> down;            // (hidden, intermediate)
};

// Copies `view` to f32. Throws Error(kNotFinite) naming the tensor and the index of the first NaN or infinity.
void convert_to_f32(const TensorView& view, std::span<float> out);

// The same of the elements from `first` on, of which `view` has as many as `out` takes.
void convert_to_f32(const TensorView& view, int64_t first, std::span<float> out);

// Reads layer `index`, checking names and shapes against `spec`, and releases its pages in the mapping.
// Throws Error(kCheckpoint) or Error(kNotFinite).
LayerWeights load_layer(const TensorTable& table, const ModelSpec& spec, int32_t index);

// The norms of layer `index` alone, with the same checks; its matrices stay empty.
LayerWeights load_layer_norms(const TensorTable& table, const ModelSpec& spec, int32_t index);

// (hidden): the norm before the lm_head.
std::vector<float> load_final_norm(const TensorTable& table, const ModelSpec& spec);

// (token_ids.size(), hidden): the lm_head rows of the verdict tokens (of the embedding table where the head is tied).
std::vector<float> load_head_rows(const TensorTable& table, const ModelSpec& spec, std::span<const int32_t> token_ids);

// Reads rows of the embedding table from the file as they are needed, so that the table never stands in memory.
// Movable; thread-safe.
class EmbeddingTable {
 public:
  EmbeddingTable(const TensorTable& table, const ModelSpec& spec);
  ~EmbeddingTable();
  EmbeddingTable(EmbeddingTable&&) noexcept;
  EmbeddingTable& operator=(EmbeddingTable&&) noexcept;

  // ids (tokens) -> out (tokens, hidden). Throws Error(kInvalidArgument) for an id outside the vocabulary,
  // Error(kCheckpoint) if the file has become shorter, Error(kNotFinite) for a row with a NaN or an infinity.
  void gather(std::span<const int32_t> ids, float* out) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Bytes that loading and running a guard takes, for the check before the load.
struct MemoryEstimate {
  uint64_t weight_bytes = 0;      // resident after the load
  uint64_t kv_bytes = 0;          // budget for keys and values, resident as it fills
  uint64_t load_peak_bytes = 0;   // on top of the weights while loading
  uint64_t activation_bytes = 0;  // for a batch of `batch_tokens`
  uint64_t peak_bytes() const;
};

enum class WeightFormat { kF32, kInt8 };

MemoryEstimate estimate_memory(const ModelSpec& spec, WeightFormat format, int32_t batch_tokens, uint64_t kv_bytes);

// Bytes that this process may still take: the lesser of the machine's available memory and its cgroup's headroom.
uint64_t available_memory_bytes();

}  // namespace saferoute::model
