// The graph of a guard: decoder layers of any family that ModelSpec describes, and the guard's head on the last token
// of each row.
#pragma once

#include <functional>
#include <string>

#include "model/model_spec.h"
#include "model/weights.h"
#include "ort/graph_builder.h"

namespace saferoute::ort {

// The graph's inputs …
inline constexpr const char* kHidden = "hidden";             // f32 (tokens, hidden): embeddings of the tokens
inline constexpr const char* kCosSin = "cos_sin";            // f32 (tokens, head_dim): cpu::rope_table
inline constexpr const char* kLastTokens = "last_tokens";    // int32 (rows): each row's last token
inline constexpr const char* kHeadOffsets = "head_offsets";  // int32 (rows + 1): 0, 1, … rows

// … and outputs.
inline constexpr const char* kLogits = "logits";      // f32 (rows, verdict_tokens)
inline constexpr const char* kHardness = "hardness";  // f32 (rows)
inline constexpr const char* kFeature = "feature";    // f32 (rows, hidden)

// Adds the whole guard to `graph`, in f32, asking for the weights of one layer after the other.
void build_decoder(GraphBuilder& graph, const model::ModelSpec& spec, int64_t verdict_tokens,
                   const std::function<model::LayerWeights(int32_t layer)>& load_layer);

// What decoders of every precision begin and end with: the inputs and outputs above, and the head on
// sum + delta (rows, hidden).
void declare_interface(GraphBuilder& graph, const model::ModelSpec& spec, int64_t verdict_tokens);
void add_head(GraphBuilder& graph, const std::string& sum, const std::string& delta);

}  // namespace saferoute::ort
