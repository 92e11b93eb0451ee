#include "cpu/kernels/declarations.h"

namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT {

const Kernels kTable = {
    .name = SAFEROUTE_CPU_VARIANT_NAME,
    .rms_norm = rms_norm,
    .add_rms_norm = add_rms_norm,
    .rope = rope,
    .paged_attention_tile = paged_attention_tile,
    .swiglu = swiglu,
    .dequantize = dequantize,
    .magnitude = magnitude,
    .quantize = quantize,
    .dequantize_swiglu = dequantize_swiglu,
    .rms_norm_quantize = rms_norm_quantize,
    .add_rms_norm_quantize = add_rms_norm_quantize,
    .dense = dense,
    .quantize_to_int16 = quantize_to_int16,
    .dense_int8 = dense_int8,
    .layer_norm = layer_norm,
    .random_bits = random_bits,
    .gaussians = gaussians,
    .sample_posterior = sample_posterior,
    .posterior_gradients = posterior_gradients,
    .adamw = adamw,
};

}  // namespace saferoute::cpu::SAFEROUTE_CPU_VARIANT
