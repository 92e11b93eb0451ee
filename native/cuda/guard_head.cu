// The host's side of guard_head: parameters, checks and the size of the launch.
#include <algorithm>
#include <string>

#include "cuda/guard_head.h"
#include "cuda/guard_head_kernel.cuh"
#include "cuda/launch.cuh"
#include "engine/error.h"

namespace saferoute::cuda {
namespace {

bool has_router(const GuardHeadWeights& weights) {
  return weights.router_layout && !weights.router_layout->layers.empty();
}

HeadLayer layer_of(const GuardHeadWeights& weights, std::byte* scratch, int rows, int32_t l) {
  const RouterLayout& layout = *weights.router_layout;
  const auto floats = [&](int64_t at) { return reinterpret_cast<const float*>(weights.router + at); };
  const RouterLayerLayout& own = layout.layers[static_cast<size_t>(l)];
  HeadLayer layer = {};
  layer.in.values = scratch + activations_at(layout, weights.hidden, rows, l);
  layer.in.width = own.inputs;
  if (l > 0) {
    const RouterLayerLayout& before = layout.layers[static_cast<size_t>(l - 1)];
    layer.in.activation = before.activation;
    layer.in.norm_size = before.norm_size;
    if (before.layer_norm) {
      layer.in.norm_weight = floats(before.norm_weight_at);
      layer.in.norm_bias = floats(before.norm_bias_at);
    }
  }
  layer.weight = reinterpret_cast<const uint4*>(weights.router + own.weight_at);
  layer.bias = floats(own.bias_at);
  layer.outputs = own.outputs;
  layer.out = scratch + activations_at(layout, weights.hidden, rows, l + 1);
  layer.norm_follows = own.layer_norm;
  layer.activation = own.activation;
  return layer;
}

void check_weights(const GuardHeadWeights& weights) {
  const auto refuse = [](const std::string& what) {
    throw Error(ErrorCode::kUnsupported, "CUDA: guard_head: " + what);
  };
  if (weights.hidden <= 0 || weights.hidden % 8 != 0 || weights.hidden > kMaxHeadHidden) {
    refuse("a hidden size of " + std::to_string(weights.hidden) + ", it must be a multiple of 8 up to " +
           std::to_string(kMaxHeadHidden));
  }
  if (weights.verdict_tokens < 1 || weights.verdict_tokens > kMaxVerdictTokens) {
    refuse(std::to_string(weights.verdict_tokens) + " verdict tokens, the limit is " +
           std::to_string(kMaxVerdictTokens));
  }
  if (!has_router(weights)) return;
  const int inputs = weights.router_layout->layers.front().inputs;
  if (inputs - kRouterChunk >= weights.hidden || inputs < weights.hidden) {
    refuse("a router of " + std::to_string(inputs) + " inputs (padded) for a hidden size of " +
           std::to_string(weights.hidden));
  }
}

// Blocks that have work at the widest step; no more than there are multiprocessors, so that all are there at once.
int blocks_for(const HeadParams& p) {
  const bool small = p.rows <= kSmallBatchRows;
  int work = p.rows;
  for (int l = 0; l + 1 < p.layer_count; ++l) {
    const int across = p.layers[l].outputs / (small ? kMmaOutputs : kMaxTileOutputs);
    work = std::max(work, across * (small ? 1 : (p.rows + kMaxTileRows - 1) / kMaxTileRows));
  }
  return std::min(work, multiprocessors());
}

// One launch for rows [first, first + rows) of a batch that `whole` describes.
HeadParams part_of(const HeadParams& whole, int first, int rows) {
  HeadParams part = whole;
  part.rows = rows;
  if (whole.row_offsets) {
    part.row_offsets += first;
  } else {
    const int64_t elements = static_cast<int64_t>(first) * whole.hidden;
    part.x += elements;
    if (whole.delta_f32) part.delta_f32 += elements;
    if (whole.delta_bf16) part.delta_bf16 += elements;
  }
  if (whole.rule.plan) part.rule.plan += first;
  if (whole.out.feature) part.out.feature += static_cast<int64_t>(first) * whole.hidden;
  part.out.logits += first * whole.verdict_tokens;
  part.out.hardness += first;
  if (whole.out.hard) part.out.hard += first;
  return part;
}

HeadParams of_batch(const float* x, const int32_t* row_offsets, const HardRule& rule, const GuardHeadOutputs& out,
                    int rows) {
  HeadParams params;
  params.x = x;
  params.row_offsets = row_offsets;
  params.rule = rule;
  params.out = out;
  params.rows = rows;
  return params;
}

// `params` holds what is of the batch; the rest is of the guard.
void run(HeadParams params, const GuardHeadWeights& weights, std::byte* scratch, cudaStream_t stream) {
  check_weights(weights);
  params.final_norm = weights.final_norm;
  params.verdict_rows = weights.verdict_rows;
  params.verdict_tokens = weights.verdict_tokens;
  params.hidden = weights.hidden;
  params.eps = weights.eps;
  params.sync = reinterpret_cast<HeadSync*>(scratch);
  if (has_router(weights)) {
    const RouterLayout& layout = *weights.router_layout;
    params.layer_count = static_cast<int>(layout.layers.size());
    params.feature_width = layout.layers.front().inputs;
    params.features = reinterpret_cast<Bf16*>(scratch + activations_at(layout, weights.hidden, params.rows, 0));
    for (int l = 0; l < params.layer_count; ++l) params.layers[l] = layer_of(weights, scratch, params.rows, l);
  }
  for (int first = 0; first < params.rows; first += kMaxHeadRows) {
    const HeadParams part = part_of(params, first, std::min(kMaxHeadRows, params.rows - first));
    const Blocks blocks = part.layer_count > 0 ? Blocks::kTogether : Blocks::kIndependent;
    launch("guard_head", guard_head_kernel, dim3(blocks_for(part)), kHeadThreads, blocks, stream, part);
  }
}

}  // namespace

void guard_head(const float* x, const Bf16* delta, const int32_t* row_offsets, const GuardHeadWeights& weights,
                const HardRule& rule, const GuardHeadOutputs& out, std::byte* scratch, int rows, cudaStream_t stream) {
  HeadParams params = of_batch(x, row_offsets, rule, out, rows);
  params.delta_bf16 = delta;
  run(params, weights, scratch, stream);
}

void guard_head(const float* x, const float* delta, const int32_t* row_offsets, const GuardHeadWeights& weights,
                const HardRule& rule, const GuardHeadOutputs& out, std::byte* scratch, int rows, cudaStream_t stream) {
  HeadParams params = of_batch(x, row_offsets, rule, out, rows);
  params.delta_f32 = delta;
  run(params, weights, scratch, stream);
}

}  // namespace saferoute::cuda
