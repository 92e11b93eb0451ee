// The inner loops of every op, once per instruction set. The sources in kernels/ are compiled several times, each into
// a namespace of its own; what runs is chosen once. They see raw pointers only and use no inline function of the
// standard library: the linker keeps one copy of such a function, and a copy built for a newer CPU must not end up in
// the rest of the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "cpu/qkv_shape.h"

namespace saferoute::cpu {

// Limits of the tiles that kernels keep on the stack; whoever loads a model holds it against them.
inline constexpr int32_t kMaxHeadDim = 256;

// Queries that one tile of attention handles at a time. More re-use each key more often; 64 still fit the first-level
// cache at the head_dim of most guards.
inline constexpr int32_t kQueryTile = 64;

// One row of a batch, to a tile of attention.
struct AttentionRow {
  const float* queries;     // (tokens, heads * head_dim): the row's first token of the batch, rotated
  std::byte* const* pages;  // where each page of the row begins, see cpu/kv_pages.h
  float* out;               // (tokens, heads * head_dim)
  int64_t keys_at;          // elements from the beginning of a page to the layer's keys
  int64_t tokens;           // of the batch
  int64_t tokens_before;    // in the pages, computed earlier
  QkvShape shape;
  float scale;  // of the scores
};

// Random numbers come in blocks of this many.
inline constexpr int kRandomBlock = 32;

// AdamW (Loshchilov & Hutter 2019, in PyTorch's form), as factors of one step.
struct AdamWStep {
  float gradient_scale;          // of all gradients, before anything else
  float beta1_rest;              // 1 - beta1: share of a new gradient in the running mean
  float beta2, beta2_rest;       // beta2, 1 - beta2: shares of the old squares and of a new one
  float eps;                     // added to the root of the mean square
  float square_root_correction;  // sqrt(1 - beta2^t)
  float step_size;               // learning rate / (1 - beta1^t)
  float decay;                   // 1 - learning rate * weight decay
};

struct Kernels {
  const char* name;  // "baseline", "avx2", "avx512"

  // out = weight * x / sqrt(mean(x^2) + eps). Arrays of (size); out may be x.
  void (*rms_norm)(const float* x, const float* weight, float* out, int64_t size, float eps);

  // sum = x + delta; out = rms_norm(sum). Arrays of (size); out may be sum.
  void (*add_rms_norm)(const float* x, const float* delta, const float* weight, float* sum, float* out, int64_t size,
                       float eps);

  // Rotates x by the angles of cos_sin: pair (i, i + head_dim / 2). Arrays of (head_dim); out may be x.
  void (*rope)(const float* x, const float* cos_sin, float* out, int64_t head_dim);

  // The queries of one kv head in a row are numbered token by token, `group` heads each. Computes the attention of
  // queries [first_query, first_query + kQueryTile), as many as there are, over the row's pages, which are kF32. Reads
  // no key or value behind the last of them.
  void (*paged_attention_tile)(const AttentionRow& row, int64_t first_query, int32_t kv_head);

  // out = silu(gate) * up. Arrays of (size).
  void (*swiglu)(const float* gate, const float* up, float* out, int64_t size);

  // out = sums * token_scale * weight_scale. Arrays of (size).
  void (*dequantize)(const int32_t* sums, const float* weight_scale, float* out, int64_t size, float token_scale);

  // The largest |x|, or NaN where an element is NaN or infinite. Array of (size).
  float (*magnitude)(const float* x, int64_t size);

  // out = 128 + x * 127 / magnitude, rounded to nearest even, for |x| <= magnitude; 128 for a magnitude of 0, anything
  // for NaN. Arrays of (size).
  void (*quantize)(const float* x, uint8_t* out, int64_t size, float magnitude);

  // out = silu(dequantized gate) * dequantized up; returns its magnitude. Arrays of (size).
  float (*dequantize_swiglu)(const int32_t* gate, const int32_t* up, const float* gate_scale, const float* up_scale,
                             float* out, int64_t size, float token_scale);

  // out = quantised rms_norm(x); returns its magnitude. Arrays of (size).
  float (*rms_norm_quantize)(const float* x, const float* weight, uint8_t* out, int64_t size, float eps);

  // sum = x + dequantized delta; out = quantised rms_norm(sum); returns its magnitude. Arrays of (size).
  float (*add_rms_norm_quantize)(const float* x, const int32_t* delta, const float* delta_scale, const float* weight,
                                 float* sum, uint8_t* out, int64_t size, float token_scale, float eps);

  // y[r, o] = bias[o] + sum over i of weight[o, i] * x[r, i]
  void (*dense)(const float* weight,  // (outputs, inputs)
                const float* bias,    // (outputs) or null
                const float* x,       // (rows, inputs)
                float* y,             // (rows, y_stride), of which the first `outputs` columns are written
                int64_t rows, int64_t outputs, int64_t inputs, int64_t y_stride);

  // out = x / scale rounded to nearest even, then zeros to a whole number of groups (router/quantized_layout.h);
  // returns the scale, max|x| / 32767, or NaN where an element is NaN or infinite. x is an array of (size).
  float (*quantize_to_int16)(const float* x, int16_t* out, int64_t size);

  // dense() of int8 weights: y[r, o] = bias[o] + x_scale[r] * sum over g of weight_scale[o, g] * (sum over the inputs
  // of group g of weight[o, i] * x[r, i], exact)
  void (*dense_int8)(const int8_t* weight,       // (outputs, groups_of(inputs), kGroupInputs)
                     const float* weight_scale,  // (outputs, groups_of(inputs))
                     const float* bias,          // (outputs)
                     const int16_t* x,           // (rows, groups_of(inputs), kGroupInputs)
                     const float* x_scale,       // (rows)
                     float* y,                   // (rows, y_stride), of which the first `outputs` columns are written
                     int64_t rows, int64_t outputs, int64_t inputs, int64_t y_stride);

  // x = weight * (x - mean(x)) / sqrt(variance(x) + eps) + bias, in place. Arrays of (size).
  void (*layer_norm)(float* x, const float* weight, const float* bias, int64_t size, float eps);

  // Random numbers [first, first + count) of `turn` in the stream that `key` (2) names; `first` is a multiple of
  // kRandomBlock. Bits are uniform, gaussians of mean 0 and variance 1. `out` is an array of (count).
  void (*random_bits)(const uint32_t* key, uint32_t turn, int64_t first, int64_t count, uint32_t* out);
  void (*gaussians)(const uint32_t* key, uint32_t turn, int64_t first, int64_t count, float* out);

  // noise, which comes as standard Gaussians, *= exp(log_sigma); weight = mu + noise. Arrays of (size).
  void (*sample_posterior)(const float* mu, const float* log_sigma, float* noise, float* weight, int64_t size);

  // From the gradient of drawn weights, in `mu_gradient`, those of mu and log_sigma; to both is added the gradient of
  // kl_weight * KL(N(mu, sigma^2) || N(0, 1 / prior_precision)). `deviation` is the weights less mu. Returns the sum of
  // the KL's terms that depend on an element, (sigma^2 + mu^2) * prior_precision / 2 - log_sigma. Arrays of (size).
  float (*posterior_gradients)(const float* mu, const float* log_sigma, const float* deviation, float* mu_gradient,
                               float* log_sigma_gradient, int64_t size, float prior_precision, float kl_weight);

  // `mean` and `square` are the running means of the gradient and of its square. Arrays of (size).
  void (*adamw)(const float* gradient, float* value, float* mean, float* square, int64_t size, const AdamWStep& step);
};

// Those that this CPU can run, the plainest first.
std::span<const Kernels* const> supported_kernels();

// The last of them.
const Kernels& best_kernels();

}  // namespace saferoute::cpu
