// Element types of device buffers, under the names that this room uses.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp8.h>

namespace saferoute::cuda {

using Bf16 = __nv_bfloat16;
using Fp8 = __nv_fp8_e4m3;  // largest finite value 448

}  // namespace saferoute::cuda
