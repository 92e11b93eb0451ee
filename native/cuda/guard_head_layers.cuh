// The router's layers on tensor cores, as parts of guard_head's one launch. A block computes tiles of (rows, outputs);
// its warps share the inputs out and add up in a fixed order. A tile's weights are fetched before the wait for its
// inputs, which hides their way from L2.
#pragma once

#include <cstdint>

#include "cuda/grid_sync.cuh"
#include "cuda/reductions.cuh"
#include "cuda/router_layout.h"
#include "cuda/tensor_core.cuh"
#include "cuda/vectors.cuh"

namespace saferoute::cuda {

inline constexpr int kHeadThreads = 512;
inline constexpr int kHeadWarps = kHeadThreads / kWarpSize;
inline constexpr int kMmaRows = 16, kMmaOutputs = 8;  // of one mma.m16n8k16
inline constexpr int kMaxTileRows = 32, kMaxTileOutputs = 16;
// Chunks of kRouterChunk inputs whose weights a warp holds at a time: enough to have a whole row of 2048 under way. A
// row that is normed on its way needs its registers for that, and is a narrow one.
inline constexpr int kChunksAhead = 4, kNormedChunksAhead = 1;

// What a layer reads.
struct HeadInputs {
  const void* values;        // (rows, width): bf16, or f32 where a norm is still to come
  int width;                 // padded
  const float* norm_weight;  // (width); null: no norm, and the activation is applied already
  const float* norm_bias;    // (width)
  int norm_size;
  router::Activation activation;  // behind the norm: kNone or kRelu
};

struct HeadLayer {
  HeadInputs in;
  const uint4* weight;  // (outputs, in.width), see packed_weight_index
  const float* bias;    // (outputs)
  int outputs;          // padded
  void* out;            // (rows, outputs): as HeadInputs::values of the next layer
  bool norm_follows;
  router::Activation activation;
};

struct HeadLayerShared {
  float partial[kHeadWarps][kMaxTileRows * kMaxTileOutputs];
  float2 norm[kMaxTileRows];  // mean, 1 / sqrt(variance + eps)
};

__device__ inline float activate(float x, router::Activation activation) {
  constexpr float kHalfSqrt2 = 0.70710678f;
  if (activation == router::Activation::kRelu) return x < 0 ? 0 : x;  // NaN stays NaN
  if (activation == router::Activation::kGelu) return 0.5f * x * (1.0f + erff(x * kHalfSqrt2));
  return x;
}

// Mean and 1 / sqrt(variance + eps) of a row before its norm; a whole warp calls it. A second pass over x - mean:
// subtracting mean^2 from the mean square cancels.
__device__ inline float2 norm_of_row(const HeadInputs& in, int row) {
  const float* x = static_cast<const float*>(in.values) + static_cast<int64_t>(row) * in.width;
  const auto sum_of = [&](auto&& term) {
    float sum = 0;
#pragma unroll 4
    for (int i = threadIdx.x % kWarpSize * 4; i < in.width; i += kWarpSize * 4) {
      const float4 v = *reinterpret_cast<const float4*>(x + i);
      const float terms[] = {term(v.x), term(v.y), term(v.z), term(v.w)};
      for (int e = 0; e < 4; ++e) sum += i + e < in.norm_size ? terms[e] : 0;
    }
    return lane_sum(sum);
  };
  const float mean = sum_of([](float value) { return value; }) / static_cast<float>(in.norm_size);
  const float squares = sum_of([&](float value) { return (value - mean) * (value - mean); });
  return make_float2(mean, inverse_rms(squares, in.norm_size, router::kNormEps));
}

// Inputs i .. i + 7 of a row as bf16; with kNormed the norm and the activation, none or ReLU, are applied to them.
template <bool kNormed>
__device__ inline uint4 load_inputs(const HeadInputs& in, int row, int i, float2 norm) {
  const int64_t at = static_cast<int64_t>(row) * in.width + i;
  if constexpr (!kNormed) {
    return *reinterpret_cast<const uint4*>(static_cast<const Bf16*>(in.values) + at);
  } else {
    Float8 x = load8(static_cast<const float*>(in.values) + at);
    const Float8 weight = load8(in.norm_weight + i), bias = load8(in.norm_bias + i);
    const bool relu = in.activation == router::Activation::kRelu;
    for (int e = 0; e < kVectorSize; ++e) {
      x.at[e] = (x.at[e] - norm.x) * norm.y * weight.at[e] + bias.at[e];
      if (relu && x.at[e] < 0) x.at[e] = 0;  // NaN stays NaN
    }
    return pack(x);
  }
}

// A chunk of 32 inputs is two instructions: lane (g, t) holds inputs 8t .. 8t + 7 of rows g and g + 8 and of output g,
// and both operands give them to the same places. See packed_weight_index.
__device__ inline void multiply_chunk(float (&sums)[4], const uint4& low, const uint4& high, const uint4& weight) {
  multiply_add(sums, {low.x, high.x, low.y, high.y}, weight.x, weight.y);
  multiply_add(sums, {low.z, high.z, low.w, high.w}, weight.z, weight.w);
}

// One tile: kRowTiles * 16 rows by kOutputTiles * 8 outputs.
template <int kRowTiles, int kOutputTiles, bool kNormed>
class HeadTile {
  static constexpr int kAhead = kNormed ? kNormedChunksAhead : kChunksAhead;

 public:
  static constexpr int kRows = kRowTiles * kMmaRows, kOutputs = kOutputTiles * kMmaOutputs;

  __device__ HeadTile(const HeadLayer& layer, int first_row, int first_output, int rows)
      : layer_(layer), first_row_(first_row), first_output_(first_output), rows_(rows) {
    load_weights(warp());
  }

  // Once the inputs are there. All threads.
  __device__ void compute(HeadLayerShared& shared) {
    if constexpr (kNormed) {
      for (int r = warp(); r < kRows; r += kHeadWarps) {
        if (first_row_ + r >= rows_) break;
        const float2 norm = norm_of_row(layer_.in, first_row_ + r);
        if (lane() == 0) shared.norm[r] = norm;
      }
      __syncthreads();
    }
    add_up(shared);
    __syncthreads();
    write(shared);
  }

 private:
  static __device__ int lane() { return threadIdx.x % kWarpSize; }
  static __device__ int warp() { return threadIdx.x / kWarpSize; }
  __device__ int chunks() const { return layer_.in.width / kRouterChunk; }

  // Chunks first, first + kHeadWarps, ...: zeros behind the last.
  __device__ void load_weights(int first) {
#pragma unroll
    for (int ahead = 0; ahead < kAhead; ++ahead) {
      const int chunk = first + ahead * kHeadWarps;
#pragma unroll
      for (int o = 0; o < kOutputTiles; ++o) {
        const int64_t block = static_cast<int64_t>(first_output_ / kMmaOutputs + o) * chunks() + chunk;
        weights_[ahead][o] = chunk < chunks() ? __ldg(layer_.weight + block * kWarpSize + lane()) : uint4{};
      }
    }
  }

  // Rows behind the last are zeros.
  __device__ uint4 load_row(const HeadLayerShared& shared, int r, int chunk) const {
    if (chunk >= chunks() || first_row_ + r >= rows_) return uint4{};
    const float2 norm = kNormed ? shared.norm[r] : float2{};
    return load_inputs<kNormed>(layer_.in, first_row_ + r, chunk * kRouterChunk + lane() % 4 * kVectorSize, norm);
  }

  __device__ void add_up(HeadLayerShared& shared) {
    constexpr int kChunksAtOnce =
        kNormed ? 1 : kChunksAhead / kRowTiles;  // whose inputs fit the registers beside the weights
    float sums[kRowTiles][kOutputTiles][4] = {};
    for (int first = warp(); first < chunks(); first += kHeadWarps * kAhead) {
      if (first != warp()) load_weights(first);
#pragma unroll
      for (int begin = 0; begin < kAhead; begin += kChunksAtOnce) {
        uint4 inputs[kChunksAtOnce][kRowTiles][2];
#pragma unroll
        for (int c = 0; c < kChunksAtOnce; ++c) {
          for (int half = 0; half < 2 * kRowTiles; ++half) {
            const int r = half * kMmaRows / 2 + lane() / 4;
            inputs[c][half / 2][half % 2] = load_row(shared, r, first + (begin + c) * kHeadWarps);
          }
        }
#pragma unroll
        for (int c = 0; c < kChunksAtOnce; ++c) {
          for (int m = 0; m < kRowTiles; ++m) {
            for (int o = 0; o < kOutputTiles; ++o) {
              multiply_chunk(sums[m][o], inputs[c][m][0], inputs[c][m][1], weights_[begin + c][o]);
            }
          }
        }
      }
    }
    // Lane (g, t) has the sums of rows g and g + 8 at outputs 2t and 2t + 1.
    float* partial = shared.partial[warp()];
    for (int m = 0; m < kRowTiles; ++m) {
      for (int o = 0; o < kOutputTiles; ++o) {
        const int at = (m * kMmaRows + lane() / 4) * kOutputs + o * kMmaOutputs + lane() % 4 * 2;
        *reinterpret_cast<float2*>(partial + at) = make_float2(sums[m][o][0], sums[m][o][1]);
        *reinterpret_cast<float2*>(partial + at + 8 * kOutputs) = make_float2(sums[m][o][2], sums[m][o][3]);
      }
    }
  }

  __device__ void write(const HeadLayerShared& shared) const {
    const int element = threadIdx.x, row = first_row_ + element / kOutputs;
    if (element >= kRows * kOutputs || row >= rows_) return;
    const int output = first_output_ + element % kOutputs;
    float sum = layer_.bias[output];
    for (int w = 0; w < kHeadWarps; ++w) sum += shared.partial[w][element];
    const int64_t at = static_cast<int64_t>(row) * layer_.outputs + output;
    if (layer_.norm_follows) {
      static_cast<float*>(layer_.out)[at] = sum;
    } else {
      static_cast<Bf16*>(layer_.out)[at] = __float2bfloat16_rn(activate(sum, layer_.activation));
    }
  }

  const HeadLayer& layer_;
  int first_row_, first_output_, rows_;
  uint4 weights_[kAhead][kOutputTiles];
};

}  // namespace saferoute::cuda
