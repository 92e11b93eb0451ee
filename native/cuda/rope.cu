// A group of lanes to each head of each token: every lane holds pairs (i, i + head_dim / 2) of it in registers, so that
// norm, rotation and the copy into a page are one read and one write.
#include <type_traits>

#include "cuda/launch.cuh"
#include "cuda/reductions.cuh"
#include "cuda/rope.h"
#include "cuda/vectors.cuh"

namespace saferoute::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kMaxHalf = 128;  // of the widest head

// The careful sine and cosine: an angle of 100,000 radians needs their argument reduction.
__global__ void rope_table_kernel(const int32_t* positions, const float* inverse_frequency, float* cos_sin, int tokens,
                                  int half) {
  const int64_t index = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  const int64_t token = index / half;
  const int i = static_cast<int>(index - token * half);
  if (token >= tokens) return;
  const float angle = static_cast<float>(positions[token]) * inverse_frequency[i];
  float sine, cosine;
  sincosf(angle, &sine, &cosine);
  cos_sin[token * 2 * half + i] = cosine;
  cos_sin[token * 2 * half + half + i] = sine;
}

// Elements i .. i + kWidth - 1 of a row, 8 as one vector or one by itself.
template <int kWidth>
struct Elements {
  float at[kWidth];
};

template <int kWidth, typename T>
__device__ Elements<kWidth> load(const T* x) {
  Elements<kWidth> loaded;
  if constexpr (kWidth == kVectorSize) {
    const Float8 v = load8(x);
    for (int e = 0; e < kWidth; ++e) loaded.at[e] = v.at[e];
  } else {
    loaded.at[0] = static_cast<float>(*x);
  }
  return loaded;
}

template <int kWidth>
__device__ void store(const Elements<kWidth>& v, Bf16* out) {
  if constexpr (kWidth == kVectorSize) {
    store8(Float8{{v.at[0], v.at[1], v.at[2], v.at[3], v.at[4], v.at[5], v.at[6], v.at[7]}}, out);
  } else {
    *out = __float2bfloat16_rn(v.at[0]);
  }
}

// Where head `slot` of a token goes: a query stays, keys and values go to the page of the token's position.
__device__ Bf16* destination(Bf16* head, const KvLayer& kv, const BatchView& batch, int heads, int slot, int token) {
  if (slot < heads) return head;
  const int position = batch.positions[token];
  const int page = batch.pages[batch.page_offsets[batch.token_row[token]] + position / kKvPageTokens];
  // Keys of all heads, then values of all: kv head `slot - heads` of both together.
  const int64_t element = (static_cast<int64_t>(slot - heads) * kKvPageTokens + position % kKvPageTokens) * kv.head_dim;
  return reinterpret_cast<Bf16*>(kv.base + page * kv.page_bytes) + element;
}

// For each head x of a token: x = norm(x), then (a, b) = (x[i], x[i + half]) becomes (a cos - b sin, b cos + a sin);
// values stay as they are. `group` lanes to a head, a power of two; kWidth * kSteps * group >= half.
template <int kWidth, int kSteps>
__global__ void rope_kernel(Bf16* qkv, const float* cos_sin, QkNorm norm, KvLayer kv, BatchView batch, int heads,
                            int group) {
  const int slots = heads + 2 * kv.kv_heads, half = kv.head_dim / 2;
  const int64_t index = (static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x) / group;
  const int token = static_cast<int>(index / slots), slot = static_cast<int>(index % slots);
  const bool present = token < batch.token_count && batch.token_row[token] != kNoRow;

  const int lane = threadIdx.x % group;
  Bf16* head = qkv + index * kv.head_dim;
  Elements<kWidth> low[kSteps] = {}, high[kSteps] = {};
  const auto for_pairs = [&](auto&& body) {
#pragma unroll
    for (int step = 0; step < kSteps; ++step) {
      const int i = (step * group + lane) * kWidth;
      if (present && i < half) body(step, i);
    }
  };
  for_pairs([&](int step, int i) {
    low[step] = load<kWidth>(head + i);
    high[step] = load<kWidth>(head + half + i);
  });

  const bool is_query = slot < heads, is_value = slot >= heads + kv.kv_heads;
  if (norm.query_weight || norm.key_weight) {
    // All groups of a warp add up together, also those whose sum is not asked for.
    float squares = 0;
    for_pairs([&](int step, int) {
      for (int e = 0; e < kWidth; ++e) {
        squares += low[step].at[e] * low[step].at[e] + high[step].at[e] * high[step].at[e];
      }
    });
    const float factor = inverse_rms(lane_sum(squares, group), kv.head_dim, norm.eps);
    const float* weight = is_query ? norm.query_weight : norm.key_weight;
    for_pairs([&](int step, int i) {
      if (is_value || !weight) return;
      const auto low_weight = load<kWidth>(weight + i), high_weight = load<kWidth>(weight + half + i);
      for (int e = 0; e < kWidth; ++e) {
        low[step].at[e] *= factor * low_weight.at[e];
        high[step].at[e] *= factor * high_weight.at[e];
      }
    });
  }
  if (!present) return;
  if (!is_value) {
    const float* angles = cos_sin + static_cast<int64_t>(token) * kv.head_dim;
    for_pairs([&](int step, int i) {
      const auto cosine = load<kWidth>(angles + i), sine = load<kWidth>(angles + half + i);
      for (int e = 0; e < kWidth; ++e) {
        const float a = low[step].at[e], b = high[step].at[e];
        low[step].at[e] = a * cosine.at[e] - b * sine.at[e];
        high[step].at[e] = b * cosine.at[e] + a * sine.at[e];
      }
    });
  }
  Bf16* to = destination(head, kv, batch, heads, slot, token);
  for_pairs([&](int step, int i) {
    store(low[step], to + i);
    store(high[step], to + half + i);
  });
}

// Blocks of kThreads for so many threads.
unsigned blocks_of(int64_t threads) { return static_cast<unsigned>((threads + kThreads - 1) / kThreads); }

}  // namespace

void rope_table(const int32_t* positions, const float* inverse_frequency, float* cos_sin, int tokens, int head_dim,
                cudaStream_t stream) {
  if (tokens == 0) return;
  const int half = head_dim / 2;
  launch("rope_table", rope_table_kernel, dim3(blocks_of(static_cast<int64_t>(tokens) * half)), kThreads, stream,
         positions, inverse_frequency, cos_sin, tokens, half);
}

void rope(Bf16* qkv, const float* cos_sin, const QkNorm& norm, const KvLayer& kv, const BatchView& batch, int heads,
          cudaStream_t stream) {
  const int half = kv.head_dim / 2;
  const int64_t all_heads = static_cast<int64_t>(batch.token_count) * (heads + 2 * kv.kv_heads);
  if (all_heads == 0) return;
  // Vectors where both halves of a head are whole ones, else element by element.
  const bool whole = half % kVectorSize == 0;
  int group = whole ? 1 : kWarpSize;
  while (whole && group * kVectorSize < half) group *= 2;
  launch("rope", whole ? rope_kernel<kVectorSize, 1> : rope_kernel<1, kMaxHalf / kWarpSize>,
         dim3(blocks_of(all_heads * group)), kThreads, stream, qkv, cos_sin, norm, kv, batch, heads, group);
}

}  // namespace saferoute::cuda
