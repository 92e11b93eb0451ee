// The instructions of tensor cores and of copies into shared memory that C++ has no words for (compute capability 8.0
// and newer). Nothing else in this room speaks PTX of these; a test replaces this file to run kernels on a CPU.
#pragma once

#include <cstddef>
#include <cstdint>

namespace saferoute::cuda {

// Shared memory as the instructions address it.
using SharedAddress = uint32_t;

__device__ inline SharedAddress shared_address(const void* pointer) {
  return static_cast<SharedAddress>(__cvta_generic_to_shared(pointer));
}

// Starts a copy of 16 bytes from global to shared memory; without `wanted` 16 zeros are written and
// `from`, which need not point anywhere, is not read.
__device__ inline void copy_async(SharedAddress to, const void* from, bool wanted) {
  const int bytes = wanted ? 16 : 0;
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
}

// Ends a group of the thread's copies; groups may be empty.
__device__ inline void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

// Waits for the thread's own copies, but for those of its last kPending groups.
template <int kPending>
__device__ inline void wait_for_copies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

// Four 8 x 8 matrices of 16-bit elements from shared memory. Lane i holds the address of row i % 8 of matrix i / 8; of
// each matrix it gets elements 2 * (i % 4) and the next of row i / 4.
__device__ inline void load_matrices(uint32_t (&matrices)[4], SharedAddress row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(matrices[0]), "=r"(matrices[1]), "=r"(matrices[2]), "=r"(matrices[3])
               : "r"(row)
               : "memory");
}

// The same with each matrix transposed on its way.
__device__ inline void load_transposed_matrices(uint32_t (&matrices)[4], SharedAddress row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(matrices[0]), "=r"(matrices[1]), "=r"(matrices[2]), "=r"(matrices[3])
               : "r"(row)
               : "memory");
}

// sums (16, 8) += a (16, 16) · b (16, 8) of bf16 in f32, over a warp. With g = lane / 4 and p = 2 * (lane % 4), a lane
// holds of `sums` row g, then row g + 8, columns p and p + 1 each; of `a` rows g and g + 8 at columns p, then both at
// p + 8; of `b` column g at rows p, then p + 8.
__device__ inline void multiply_add(float (&sums)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(sums[0]), "+f"(sums[1]), "+f"(sums[2]), "+f"(sums[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Two floats as bf16, rounded to nearest even, the first in the lower half.
__device__ inline uint32_t bf16_pair(float first, float second) {
  uint32_t pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(second), "f"(first));
  return pair;
}

// 2^x within 2 units of the last place; 0 for minus infinity and where the outcome would be denormal.
__device__ inline float exp2_fast(float x) {
  float power;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x));
  return power;
}

}  // namespace saferoute::cuda
