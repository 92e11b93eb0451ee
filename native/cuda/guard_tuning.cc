// The warm-up's part of a loaded guard: which algorithm of cuBLASLt serves each of its products best.
#include <algorithm>
#include <array>
#include <vector>

#include "cuda/loaded_guard.h"
#include "engine/error.h"

namespace saferoute::cuda {
namespace {

struct Product {
  Matrix DecoderLayer::* weight;
  const OperandExtent* x;
  const Extent* out;
  int32_t outputs;
  int32_t inputs;
};

std::array<Product, 4> products_of(const model::ModelSpec& spec, const PassBuffers& buffers,
                                   const OperandExtent& attended) {
  return {{{&DecoderLayer::qkv, &buffers.normed, &buffers.qkv, spec.qkv_size(), spec.hidden_size},
           {&DecoderLayer::output, &attended, &buffers.delta, spec.hidden_size, spec.query_size()},
           {&DecoderLayer::gate_up, &buffers.normed, &buffers.gate_up, 2 * spec.intermediate_size, spec.hidden_size},
           {&DecoderLayer::down, &buffers.product, &buffers.delta, spec.hidden_size, spec.intermediate_size}}};
}

// A count for every algorithm that a pass of up to `most` tokens uses.
std::vector<int32_t> tuned_tokens(int32_t most) {
  std::vector<int32_t> counts;
  for (int32_t tokens = 1;; tokens = counts.back() + 1) {
    GemmShape shape;
    shape.tokens = tokens;
    counts.push_back(std::min(algorithm_shape(shape).tokens, most));
    if (counts.back() == most) return counts;
  }
}

}  // namespace

void LoadedGuard::tune(std::stop_token stop, cudaStream_t stream) {
  if (!is_resident()) return;
  const bool fp8 = plan_.demand.precision == Precision::kFp8;
  const PassBuffers& buffers = decoder_->buffers();
  const OperandExtent attended = fp8 ? buffers.attended_fp8 : OperandExtent{.values = buffers.attended, .scales = {}};
  std::vector<DecoderLayer> layers;
  for (int32_t index = 0; index < decoder_->spec().layers; ++index) layers.push_back(weights_.acquire(index, stream));
  for (const Product& product : products_of(decoder_->spec(), buffers, attended)) {
    std::vector<const Bf16*> bf16_weights;
    std::vector<const Fp8*> fp8_weights;
    std::vector<const float*> scales;
    for (const DecoderLayer& layer : layers) {
      const Matrix& weight = layer.*product.weight;
      bf16_weights.push_back(weight.bf16);
      fp8_weights.push_back(weight.fp8);
      scales.push_back(weight.fp8_scales);
    }
    void* const out = decoder_->at<std::byte>(*product.out);
    for (const int32_t tokens : tuned_tokens(std::max(limits_.tokens, limits_.rows))) {
      if (stop.stop_requested()) throw Error(ErrorCode::kAborted, "the load was stopped");
      if (fp8) {
        gemm_.tune_fp8(decoder_->at<Fp8>(product.x->values), decoder_->at<float>(product.x->scales), fp8_weights,
                       scales, out, OutType::kBf16, tokens, product.outputs, product.inputs, stream);
      } else {
        gemm_.tune_bf16(decoder_->at<Bf16>(product.x->values), bf16_weights, out, OutType::kBf16, tokens,
                        product.outputs, product.inputs, stream);
      }
    }
  }
}

}  // namespace saferoute::cuda
