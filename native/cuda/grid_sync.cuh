// How blocks of one launch wait for each other: by counting the pieces of work that are done, so that a block waits for
// no more than what it reads. All blocks must be on the device at once, as a cooperative launch ensures.
#pragma once

#include <cstdint>

namespace saferoute::cuda {

// All threads of the block call it once their piece is written.
__device__ inline void arrive(uint32_t* counter) {
  __syncthreads();
  if (threadIdx.x > 0) return;
  // The barrier made the block's writes this thread's to release.
  asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(counter) : "memory");
}

// One thread; those that read what it waited for synchronise with it afterwards.
__device__ inline void wait_until(const uint32_t* counter, uint32_t count) {
  uint32_t arrived;
  do {
    asm volatile("ld.acquire.gpu.global.u32 %0, [%1];" : "=r"(arrived) : "l"(counter) : "memory");
  } while (arrived < count);
}

// All threads of the block call it when they wait for nothing any more. The last block to leave sets counters
// [0, count) and `left` back to zero for the next launch.
__device__ inline void leave(uint32_t* counters, int count, uint32_t* left) {
  __shared__ bool is_last;
  __syncthreads();
  if (threadIdx.x == 0) {
    uint32_t before;
    asm volatile("atom.acq_rel.gpu.global.add.u32 %0, [%1], 1;" : "=r"(before) : "l"(left) : "memory");
    is_last = before + 1 == gridDim.x;
  }
  __syncthreads();
  if (!is_last) return;
  for (int i = threadIdx.x; i < count; i += blockDim.x) counters[i] = 0;
  if (threadIdx.x == 0) *left = 0;
}

}  // namespace saferoute::cuda
