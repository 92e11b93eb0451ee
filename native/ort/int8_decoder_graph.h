// The graph of a guard whose GEMMs are int8: the same decoder as decoder_graph's, with everything between two GEMMs
// fused into one pass over a token's row.
#pragma once

#include <functional>

#include "cpu/parallel_for.h"
#include "model/int8_weights.h"
#include "model/model_spec.h"
#include "ort/graph_builder.h"

namespace saferoute::ort {

// What multiplies: ONNX Runtime's MatMulInteger, or cpu::int8_matmul, which needs cpu::has_int8_tiles().
enum class Int8Product { kLibrary, kTiles };

// Adds the whole guard to `graph`, asking for the weights of one layer after the other. They are packed on
// `parallel_for`.
void build_int8_decoder(GraphBuilder& graph, const model::ModelSpec& spec, int64_t verdict_tokens, Int8Product product,
                        cpu::ParallelFor parallel_for,
                        const std::function<model::Int8LayerWeights(int32_t layer)>& load_layer);

}  // namespace saferoute::ort
