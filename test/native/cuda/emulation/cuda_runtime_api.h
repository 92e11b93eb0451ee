// In the place of CUDA's header where ops run on the CPU: their signatures name a stream.
#pragma once

using cudaStream_t = struct CUstream_st*;
