// native/cuda/grid_sync.cuh on the CPU, for a launch of one block: what it waits for must have been done by itself.
#pragma once

#include <cstdint>

#include <gtest/gtest.h>

#include "cuda/element_types.h"

namespace saferoute::cuda {

// No thread gets ahead of the count: waiting for it would not let the counting one run.
inline void arrive(uint32_t* counter) {
  __syncthreads();
  if (threadIdx.x == 0) ++*counter;
  __syncthreads();
}

inline void wait_until(const uint32_t* counter, uint32_t count) {
  EXPECT_EQ(*counter, count) << "waits for what nobody does, or for less than it reads";
}

inline void leave(uint32_t* counters, int count, uint32_t* left) {
  __syncthreads();
  if (threadIdx.x > 0) return;
  for (int i = 0; i < count; ++i) counters[i] = 0;
  *left = 0;
}

}  // namespace saferoute::cuda
