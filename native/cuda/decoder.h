// A guard's forward pass as launches on a stream: embedding, layers, guard_head.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stop_token>

#include <cuda_runtime_api.h>

#include "cuda/batch_view.h"
#include "cuda/decoder_weights.h"
#include "cuda/fp8_rows.h"
#include "cuda/gemm.h"
#include "cuda/guard_head.h"
#include "cuda/kv_layer.h"
#include "cuda/pass_buffers.h"
#include "cuda/rope.h"
#include "model/model_spec.h"

namespace saferoute::cuda {

// What of a decoder stands at fixed addresses for its whole life.
struct DecoderMemory {
  const Bf16* embedding = nullptr;           // (vocab, hidden)
  const float* inverse_frequency = nullptr;  // (head_dim / 2)
  GuardHeadWeights head;
  std::byte* kv = nullptr;  // page 0, all layers
  int64_t page_bytes = 0;
  std::byte* scratch = nullptr;  // laid out as `buffers`
  PassBuffers buffers;
};

// Owned by a backend; used on one thread and one stream at a time. All that it refers to outlives it. No call waits for
// the device, allocates, or depends on anything but its arguments, so that a pass can be captured in a graph.
class Decoder {
 public:
  Decoder(const model::ModelSpec& spec, const DecoderMemory& memory, DecoderLayers& layers, Gemm& gemm);

  // Computes `batch`, of whose rows none has more than `max_keys` tokens in all: keys and values go to their pages, and
  // logits, hardness and features to the buffers of that name; the hard flags too where `rule` has a threshold. The
  // last layer attends and multiplies for the last tokens only: of a row without tokens nothing is said. A stop request
  // ends the launches between two layers with Error(kAborted); what has been launched runs to its end.
  void launch(const BatchView& batch, int32_t max_keys, const HardRule& rule, std::stop_token stop,
              cudaStream_t stream) const;

  // Where a buffer of the pass lies.
  template <typename T>
  T* at(const Extent& extent) const {
    return reinterpret_cast<T*>(memory_.scratch + extent.offset);
  }
  const PassBuffers& buffers() const { return memory_.buffers; }
  const model::ModelSpec& spec() const { return spec_; }

 private:
  // One of the two formats in which a product takes its first operand.
  struct Operand {
    Bf16* bf16 = nullptr;
    Fp8Rows fp8;
  };
  // Rows on their way through the end of a layer: of all tokens, or in the last layer of one to a row.
  struct Rows {
    int32_t count = 0;
    float* residual = nullptr;  // (count, hidden)
    Bf16* attended = nullptr;   // (count, query_size)
  };

  Operand operand(const OperandExtent& extent, bool fp8) const;
  void multiply(const Operand& x, const Matrix& w, Bf16* out, int32_t rows, int32_t outputs, int32_t inputs,
                cudaStream_t stream) const;
  void norm(float* residual, const Bf16* delta, const float* weight, const Operand& out, int32_t rows,
            cudaStream_t stream) const;
  void attend(int32_t index, const DecoderLayer& layer, const BatchView& batch, int32_t max_keys, Bf16* out,
              cudaStream_t stream) const;
  void finish_layer(const DecoderLayer& layer, const Rows& rows, cudaStream_t stream) const;

  const model::ModelSpec spec_;
  const DecoderMemory memory_;
  DecoderLayers& layers_;
  Gemm& gemm_;
};

}  // namespace saferoute::cuda
