// The weights of a decoder as its pass reads them: pointers into device memory that somebody else owns.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include "cuda/element_types.h"

namespace saferoute::cuda {

// (outputs, inputs), row-major, in one of the two formats.
struct Matrix {
  const Bf16* bf16 = nullptr;
  const Fp8* fp8 = nullptr;
  const float* fp8_scales = nullptr;  // (outputs), with fp8

  bool is_fp8() const { return fp8 != nullptr; }
};

struct DecoderLayer {
  const float* input_norm = nullptr;  // (hidden)
  Matrix qkv;                         // (qkv_size, hidden): query, key, value rows in that order
  const float* q_norm = nullptr;      // (head_dim); null without qk-norm
  const float* k_norm = nullptr;      // (head_dim); null without qk-norm
  Matrix output;                      // (hidden, query_size)
  const float* post_norm = nullptr;   // (hidden)
  Matrix gate_up;                     // (2 * intermediate, hidden): gate rows, then up rows
  Matrix down;                        // (hidden, intermediate)
};

// Where the layers of a pass come from. A resident decoder hands out what always stands there; a streamed one lets
// `stream` wait until layer `index` has arrived, and fetches a later one into the place of what is released.
class DecoderLayers {
 public:
  virtual ~DecoderLayers() = default;

  // Work on `stream` after this call, and before release(index), may read the layer. Layers are taken in turn, from the
  // first to the last, pass after pass.
  virtual DecoderLayer acquire(int32_t index, cudaStream_t stream) = 0;
  virtual void release(int32_t index, cudaStream_t stream) = 0;

  // Whether the same pointers hold the same weights in every pass, so that a pass can be captured in a graph.
  virtual bool are_resident() const = 0;
};

}  // namespace saferoute::cuda
