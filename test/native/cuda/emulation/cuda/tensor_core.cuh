// native/cuda/tensor_core.cuh on the CPU, by the words of the PTX manual. Its include folder comes before native/.
#pragma once

#include <bit>
#include <cmath>
#include <cstring>
#include <string>

#include "cuda/emulation/simt.h"

namespace saferoute::cuda {

using SharedAddress = uint32_t;

inline SharedAddress shared_address(const void* pointer) {
  return static_cast<SharedAddress>(static_cast<const std::byte*>(pointer) - simt::shared_memory());
}

inline void copy_async(SharedAddress to, const void* from, bool wanted) {
  simt::start_copy(simt::shared_memory() + to, wanted ? from : nullptr, 16);
}
inline void commit_copies() { simt::commit_copies(); }
template <int kPending>
void wait_for_copies() {
  simt::wait_for_copies(kPending);
}

inline float bf16_value(uint32_t bits) { return std::bit_cast<float>(bits << 16); }

struct LoadedMatrices {
  SharedAddress row;
  uint32_t* matrices;
};

inline uint16_t matrix_element(simt::Deposits lanes, int matrix, int row, int column) {
  const auto& owner = *static_cast<LoadedMatrices*>(lanes[static_cast<size_t>(8 * matrix + row)]);
  uint16_t element;
  std::memcpy(&element, simt::shared_memory() + owner.row + 2 * column, sizeof(element));
  return element;
}

inline void require_row(SharedAddress row) {
  if (row % 16 != 0) simt::fail("a row of a matrix at byte " + std::to_string(row) + " of shared memory");
}

template <bool kTransposed>
void conclude_load(simt::Deposits lanes) {
  for (int lane = 0; lane < 32; ++lane) {
    for (int matrix = 0; matrix < 4; ++matrix) {
      uint32_t pair = 0;
      for (int i = 0; i < 2; ++i) {
        const int row = lane / 4, column = 2 * (lane % 4) + i;
        const uint32_t element =
            kTransposed ? matrix_element(lanes, matrix, column, row) : matrix_element(lanes, matrix, row, column);
        pair |= element << (16 * i);
      }
      static_cast<LoadedMatrices*>(lanes[static_cast<size_t>(lane)])->matrices[matrix] = pair;
    }
  }
}

inline void load_matrices(uint32_t (&matrices)[4], SharedAddress row) {
  require_row(row);
  LoadedMatrices mine{row, matrices};
  simt::meet_warp("load_matrices", &mine, conclude_load<false>);
}

inline void load_transposed_matrices(uint32_t (&matrices)[4], SharedAddress row) {
  require_row(row);
  LoadedMatrices mine{row, matrices};
  simt::meet_warp("load_transposed_matrices", &mine, conclude_load<true>);
}

struct Product {
  float* sums;
  const uint32_t* a;
  uint32_t b[2];
};

inline void conclude_product(simt::Deposits lanes) {
  float a[16][16], b[16][8];
  for (int lane = 0; lane < 32; ++lane) {
    const auto& part = *static_cast<Product*>(lanes[static_cast<size_t>(lane)]);
    for (int i = 0; i < 2; ++i) {
      const int column = 2 * (lane % 4) + i;
      for (int piece = 0; piece < 4; ++piece) {
        a[lane / 4 + piece % 2 * 8][column + piece / 2 * 8] = bf16_value(part.a[piece] >> (16 * i) & 0xffff);
      }
      for (int piece = 0; piece < 2; ++piece) {
        b[column + piece * 8][lane / 4] = bf16_value(part.b[piece] >> (16 * i) & 0xffff);
      }
    }
  }
  for (int lane = 0; lane < 32; ++lane) {
    const auto& part = *static_cast<Product*>(lanes[static_cast<size_t>(lane)]);
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + i / 2 * 8, column = 2 * (lane % 4) + i % 2;
      for (int k = 0; k < 16; ++k) part.sums[i] += a[row][k] * b[k][column];
    }
  }
}

inline void multiply_add(float (&sums)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  Product mine{sums, a, {b0, b1}};
  simt::meet_warp("multiply_add", &mine, conclude_product);
}

// Rounded to nearest even; NaN stays NaN.
inline uint32_t bf16_bits(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  return std::isnan(value) ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}
inline uint32_t bf16_pair(float first, float second) { return bf16_bits(first) | bf16_bits(second) << 16; }

inline float exp2_fast(float x) { return std::exp2(x); }

}  // namespace saferoute::cuda
