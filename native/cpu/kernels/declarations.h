// The kernels of one instruction set, and the table that offers them; what they compute is said in cpu/kernels.h.
#pragma once

#include <cstddef>

#include "cpu/kernels.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

void rms_norm(const float* x, const float* weight, float* out, int64_t size, float eps);
void add_rms_norm(const float* x, const float* delta, const float* weight, float* sum, float* out, int64_t size,
                  float eps);
void rope(const float* x, const float* cos_sin, float* out, int64_t head_dim);
void paged_attention_tile(const AttentionRow& row, int64_t first_query, int32_t kv_head);
void swiglu(const float* gate, const float* up, float* out, int64_t size);
void dequantize(const int32_t* sums, const float* weight_scale, float* out, int64_t size, float token_scale);
float magnitude(const float* x, int64_t size);
void quantize(const float* x, uint8_t* out, int64_t size, float magnitude);
float dequantize_swiglu(const int32_t* gate, const int32_t* up, const float* gate_scale, const float* up_scale,
                        float* out, int64_t size, float token_scale);
float rms_norm_quantize(const float* x, const float* weight, uint8_t* out, int64_t size, float eps);
float add_rms_norm_quantize(const float* x, const int32_t* delta, const float* delta_scale, const float* weight,
                            float* sum, uint8_t* out, int64_t size, float token_scale, float eps);
void dense(const float* weight, const float* bias, const float* x, float* y, int64_t rows, int64_t outputs,
           int64_t inputs, int64_t y_stride);
float quantize_to_int16(const float* x, int16_t* out, int64_t size);
void dense_int8(const int8_t* weight, const float* weight_scale, const float* bias, const int16_t* x,
                const float* x_scale, float* y, int64_t rows, int64_t outputs, int64_t inputs, int64_t y_stride);
void layer_norm(float* x, const float* weight, const float* bias, int64_t size, float eps);
void random_bits(const uint32_t* key, uint32_t turn, int64_t first, int64_t count, uint32_t* out);
void gaussians(const uint32_t* key, uint32_t turn, int64_t first, int64_t count, float* out);
void sample_posterior(const float* mu, const float* log_sigma, float* noise, float* weight, int64_t size);
float posterior_gradients(const float* mu, const float* log_sigma, const float* deviation, float* mu_gradient,
                          float* log_sigma_gradient, int64_t size, float prior_precision, float kl_weight);
void adamw(const float* gradient, float* value, float* mean, float* square, int64_t size, const AdamWStep& step);

extern const Kernels kTable;

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
