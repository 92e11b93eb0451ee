// Runs a kernel's own source on the CPU: every thread of a block is a fiber, and what threads of a warp or a block do
// together is a meeting of theirs. Slow and exact: for the arithmetic of indices, barriers and copies, where there is
// no GPU. A source that is to run so includes this instead of CUDA's headers, by the order of include folders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#define __device__
#define __global__
#define __shared__
#define __align__(bytes)
#define __launch_bounds__(...)

struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) uint2 {
  uint32_t x, y;
};
struct alignas(16) uint4 {
  uint32_t x, y, z, w;
};
struct dim3 {
  unsigned x = 1, y = 1, z = 1;
};

// Of the thread that runs; set by run_grid alone.
inline dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace saferoute::cuda::simt {

// Which warps get ahead of the others wherever no barrier stops them.
enum class Order { kFirstWarpFirst, kLastWarpFirst };

// What launches of ops run in.
inline Order launch_order = Order::kFirstWarpFirst;

// Memory that the block's threads share, for kernels whose launch says how much of it they need.
inline constexpr size_t kSharedBytes = 99 << 10;
inline std::byte* shared_memory() {
  alignas(128) static std::byte memory[kSharedBytes];
  return memory;
}

// Runs the blocks of a grid one after another. Throws std::logic_error where a GPU would hang or stop: at threads that
// can never meet again, since some left the kernel or meet for different things, and at what calls fail().
void run_grid(dim3 grid, unsigned threads, Order order, const std::function<void()>& kernel);

// What a thread hands to a meeting, by its number in the warp or the block.
using Deposits = std::span<void* const>;

// Called by every thread of the running one's warp (block). The last to arrive concludes for all.
void meet_warp(const char* what, void* deposit, const std::function<void(Deposits)>& conclude);
void meet_block(const char* what, void* deposit, const std::function<void(Deposits)>& conclude);

// What a GPU would stop at: ends run_grid with a std::logic_error, and does not return.
void fail(std::string what);

// A copy that happens when the running thread waits for it, and not before. Fails unless both addresses are multiples
// of `bytes`.
void start_copy(void* to, const void* from, size_t bytes);  // zeros for a null `from`
void commit_copies();
void wait_for_copies(size_t pending);

}  // namespace saferoute::cuda::simt

inline void __syncthreads() {
  saferoute::cuda::simt::meet_block("__syncthreads", nullptr, [](auto) {});
}
int __syncthreads_count(bool predicate);

template <typename T>
T __shfl_sync(unsigned, T value, int source) {
  struct Exchange {
    T value;
    int source;
    T got;
  } mine{value, source, value};
  saferoute::cuda::simt::meet_warp("__shfl_sync", &mine, [](saferoute::cuda::simt::Deposits lanes) {
    for (void* const lane : lanes) {
      auto& exchange = *static_cast<Exchange*>(lane);
      exchange.got = static_cast<Exchange*>(lanes[static_cast<size_t>(exchange.source) % lanes.size()])->value;
    }
  });
  return mine.got;
}

template <typename T>
T __shfl_xor_sync(unsigned mask, T value, int lanes) {
  return __shfl_sync(mask, value, static_cast<int>(threadIdx.x % 32) ^ lanes);
}

float __fadd_rn(float a, float b);
float __fsub_rn(float a, float b);
float __fmul_rn(float a, float b);
float __fdiv_rn(float a, float b);
float __fmaf_rn(float a, float b, float c);
inline int min(int a, int b) { return a < b ? a : b; }
inline unsigned min(unsigned a, unsigned b) { return a < b ? a : b; }
