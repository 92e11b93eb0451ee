// What runs on the device: blocks norm the rows and read the verdicts off them, then compute the router layer by layer,
// tile by tile, each waiting only for the tiles of the layer before that it reads.
#pragma once

#include "cuda/guard_head.h"
#include "cuda/guard_head_layers.cuh"

namespace saferoute::cuda {

inline constexpr int kSmallBatchRows =
    16;  // up to here one tile holds all rows, and narrow ones spread over more blocks
inline constexpr int kMaxRowTiles = kMaxHeadRows / kMaxTileRows;
inline constexpr int kHeldVectors = kMaxHeadHidden / (4 * kHeadThreads);

struct HeadSync {
  uint32_t done[kMaxRouterLayers][kMaxRowTiles];  // rows normed (layer 0), tiles of the layer before
  uint32_t left;
};
static_assert(sizeof(HeadSync) <= kGuardHeadSyncBytes);

struct HeadParams {
  const float* x = nullptr;              // (tokens, hidden)
  const float* delta_f32 = nullptr;      // (tokens, hidden) or null
  const Bf16* delta_bf16 = nullptr;      // (tokens, hidden) or null
  const int32_t* row_offsets = nullptr;  // (rows + 1) or null
  const float* final_norm = nullptr;     // (hidden)
  const Bf16* verdict_rows = nullptr;    // (verdict_tokens, hidden)
  HardRule rule = {};
  GuardHeadOutputs out = {};
  HeadSync* sync = nullptr;
  Bf16* features = nullptr;  // (rows, feature_width): the router's inputs
  HeadLayer layers[kMaxRouterLayers] = {};
  int layer_count = 0, feature_width = 0, rows = 0, hidden = 0, verdict_tokens = 0;
  float eps = 0;
};

// -1 for a row of no tokens.
__device__ inline int64_t last_token(const HeadParams& p, int row) {
  if (!p.row_offsets) return row;
  const int end = p.row_offsets[row + 1];
  return end > p.row_offsets[row] ? end - 1 : -1;
}

__device__ inline void write_hardness(const HeadParams& p, int row, float hardness) {
  p.out.hardness[row] = hardness;
  if (!p.out.hard) return;
  const RowPlan plan = p.rule.plan ? p.rule.plan[row] : RowPlan::kByRule;
  const bool hard = plan == RowPlan::kForced || (plan == RowPlan::kByRule && hardness > *p.rule.threshold);
  p.out.hard[row] = hard && last_token(p, row) >= 0;
}

// x + delta at elements `at` .. `at` + 3 of the residual stream.
__device__ inline float4 residual(const HeadParams& p, int64_t at) {
  float4 sum = *reinterpret_cast<const float4*>(p.x + at);
  float4 delta = {};
  if (p.delta_f32) {
    delta = *reinterpret_cast<const float4*>(p.delta_f32 + at);
  } else if (p.delta_bf16) {
    const uint2 bits = *reinterpret_cast<const uint2*>(p.delta_bf16 + at);
    const float2 low = unpack(bits.x), high = unpack(bits.y);
    delta = make_float4(low.x, low.y, high.x, high.y);
  }
  sum.x += delta.x;
  sum.y += delta.y;
  sum.z += delta.z;
  sum.w += delta.w;
  return sum;
}

struct RowSums {
  float of_warp[kHeadWarps][1 + kMaxVerdictTokens];  // squares, then the verdict tokens' products

  __device__ float total(int column) const {
    float sum = 0;
    for (int w = 0; w < kHeadWarps; ++w) sum += of_warp[w][column];
    return sum;
  }
};

// feature = norm · v / rms(v) of v = x + delta, and logits = verdict_rows · feature. The factor 1 / rms comes out of
// the products, so that squares and products are one reduction. All threads.
__device__ inline void norm_row(const HeadParams& p, int row, RowSums& shared) {
  const int64_t token = last_token(p, row);
  float4 weighted[kHeldVectors] = {};
  float sums[1 + kMaxVerdictTokens] = {};
#pragma unroll
  for (int slot = 0; slot < kHeldVectors; ++slot) {
    const int i = (slot * kHeadThreads + threadIdx.x) * 4;
    if (i >= p.hidden || token < 0) continue;
    const float4 v = residual(p, token * p.hidden + i);
    const float4 norm = *reinterpret_cast<const float4*>(p.final_norm + i);
    const float4 w = weighted[slot] = make_float4(v.x * norm.x, v.y * norm.y, v.z * norm.z, v.w * norm.w);
    sums[0] += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
#pragma unroll
    for (int t = 0; t < kMaxVerdictTokens; ++t) {
      if (t >= p.verdict_tokens) break;
      const uint2 bits = *reinterpret_cast<const uint2*>(p.verdict_rows + static_cast<int64_t>(t) * p.hidden + i);
      const float2 low = unpack(bits.x), high = unpack(bits.y);
      sums[1 + t] += w.x * low.x + w.y * low.y + w.z * high.x + w.w * high.y;
    }
  }
  const int lane = threadIdx.x % kWarpSize, warp = threadIdx.x / kWarpSize;
#pragma unroll
  for (int s = 0; s < 1 + kMaxVerdictTokens; ++s) {
    if (s > p.verdict_tokens) break;
    const float sum = lane_sum(sums[s]);
    if (lane == 0) shared.of_warp[warp][s] = sum;
  }
  __syncthreads();
  const float nothing = token < 0 ? NAN : 0.0f;
  const float factor = inverse_rms(shared.total(0), p.hidden, p.eps);
  if (const int t = threadIdx.x; t < p.verdict_tokens) {
    p.out.logits[row * p.verdict_tokens + t] = shared.total(1 + t) * factor + nothing;
  }
#pragma unroll
  for (int slot = 0; slot < kHeldVectors; ++slot) {
    const int i = (slot * kHeadThreads + threadIdx.x) * 4;
    const float4 w = weighted[slot];
    const float4 f = make_float4(w.x * factor, w.y * factor, w.z * factor, w.w * factor);
    if (p.out.feature && i < p.hidden) {
      *reinterpret_cast<float4*>(p.out.feature + static_cast<int64_t>(row) * p.hidden + i) =
          make_float4(f.x + nothing, f.y + nothing, f.z + nothing, f.w + nothing);
    }
    if (p.layer_count > 0 && i < p.feature_width) {
      *reinterpret_cast<uint2*>(p.features + static_cast<int64_t>(row) * p.feature_width + i) =
          make_uint2(bf16_pair(f.x, f.y), bf16_pair(f.z, f.w));
    }
  }
  if (p.layer_count == 0 && threadIdx.x == 0) write_hardness(p, row, NAN);
}

// How the rows of a batch are cut into tiles.
struct TileShape {
  int rows, outputs;

  // What has to arrive before row tile `tile` of a layer can begin.
  __device__ uint32_t awaited(const HeadParams& p, int layer, int tile) const {
    return layer == 0 ? min(rows, p.rows - tile * rows) : p.layers[layer - 1].outputs / outputs;
  }
};

template <int kRowTiles, int kOutputTiles, bool kNormed>
__device__ inline void compute_layer(const HeadParams& p, int l, const TileShape& shape, HeadLayerShared& shared) {
  using Tile = HeadTile<kRowTiles, kOutputTiles, kNormed>;
  const HeadLayer& layer = p.layers[l];
  const int across = layer.outputs / Tile::kOutputs, down = (p.rows + Tile::kRows - 1) / Tile::kRows;
  for (int item = blockIdx.x; item < across * down; item += gridDim.x) {
    const int row_tile = item / across;
    Tile tile(layer, row_tile * Tile::kRows, item % across * Tile::kOutputs, p.rows);
    if (threadIdx.x == 0) wait_until(&p.sync->done[l][row_tile], shape.awaited(p, l, row_tile));
    __syncthreads();
    tile.compute(shared);
    arrive(&p.sync->done[l + 1][row_tile]);
  }
}

// Without an exponential that could overflow.
__device__ inline float sigmoid(float x) {
  const float tail = expf(-fabsf(x));
  return (x < 0 ? tail : 1.0f) / (1.0f + tail);
}

// The last layer has one output: a warp to a row, rows spread over the blocks first.
template <bool kNormed>
__device__ inline void score_rows(const HeadParams& p, const TileShape& shape) {
  const int l = p.layer_count - 1, lane = threadIdx.x % kWarpSize, warp = threadIdx.x / kWarpSize;
  const HeadLayer& layer = p.layers[l];
  for (int row = blockIdx.x + warp * gridDim.x; row < p.rows; row += gridDim.x * kHeadWarps) {
    const int row_tile = row / shape.rows;
    if (lane == 0) wait_until(&p.sync->done[l][row_tile], shape.awaited(p, l, row_tile));
    __syncwarp();
    float2 norm = {};
    if constexpr (kNormed) norm = norm_of_row(layer.in, row);
    float sum = 0;
    for (int i = lane * kVectorSize; i < layer.in.width; i += kWarpSize * kVectorSize) {
      const Float8 x = unpack(load_inputs<kNormed>(layer.in, row, i, norm));
      // packed_weight_index(0, i): of every block the lanes of its first output.
      const Float8 weight = unpack(__ldg(layer.weight + i / kRouterChunk * kWarpSize + i % kRouterChunk / kVectorSize));
      for (int e = 0; e < kVectorSize; ++e) sum += x.at[e] * weight.at[e];
    }
    sum = lane_sum(sum);
    if (lane > 0) continue;
    const float hardness = sigmoid(activate(sum + layer.bias[0], layer.activation));
    write_hardness(p, row, last_token(p, row) < 0 ? NAN : hardness);
  }
}

static __global__ void __launch_bounds__(kHeadThreads, 1) guard_head_kernel(const __grid_constant__ HeadParams p) {
  __shared__ union {
    RowSums row_sums;
    HeadLayerShared layers;
  } shared;
  const bool small = p.rows <= kSmallBatchRows;
  const TileShape shape = small ? TileShape{kMmaRows, kMmaOutputs} : TileShape{kMaxTileRows, kMaxTileOutputs};
  for (int row = blockIdx.x; row < p.rows; row += gridDim.x) {
    norm_row(p, row, shared.row_sums);
    if (p.layer_count > 0) {
      arrive(&p.sync->done[0][row / shape.rows]);
    } else {
      __syncthreads();
    }
  }
  if (p.layer_count == 0) return;
  for (int l = 0; l + 1 < p.layer_count; ++l) {
    const bool normed = p.layers[l].in.norm_weight != nullptr;
    if (small) {
      normed ? compute_layer<1, 1, true>(p, l, shape, shared.layers)
             : compute_layer<1, 1, false>(p, l, shape, shared.layers);
    } else {
      normed ? compute_layer<2, 2, true>(p, l, shape, shared.layers)
             : compute_layer<2, 2, false>(p, l, shape, shared.layers);
    }
  }
  p.layers[p.layer_count - 1].in.norm_weight ? score_rows<true>(p, shape) : score_rows<false>(p, shape);
  leave(&p.sync->done[0][0], kMaxRouterLayers * kMaxRowTiles, &p.sync->left);
}

}  // namespace saferoute::cuda
