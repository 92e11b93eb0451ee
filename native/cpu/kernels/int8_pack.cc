// Weights from rows into the tiles of cpu/kernels/int8_tiles.h. Goes through the inputs in the order of the rows, for
// all panels at once: neighbouring panels share the lines of a row.
#include <immintrin.h>

#include "cpu/kernels/int8_tiles.h"

namespace saferoute::cpu::amx {
namespace {

constexpr int64_t kQuadBytes = kTileOutputs * 4;  // four inputs of 16 outputs: one row of a tile
constexpr int64_t kTileBytes = kStepInputs / 4 * kQuadBytes;

// Four rows of 16 bytes, interleaved: byte 4 * o + i is that of row i and output o.
inline void interleave(const __m128i rows[4], std::byte* quad) {
  const __m128i low01 = _mm_unpacklo_epi8(rows[0], rows[1]);
  const __m128i high01 = _mm_unpackhi_epi8(rows[0], rows[1]);
  const __m128i low23 = _mm_unpacklo_epi8(rows[2], rows[3]);
  const __m128i high23 = _mm_unpackhi_epi8(rows[2], rows[3]);
  auto* out = reinterpret_cast<__m128i*>(quad);
  _mm_storeu_si128(out + 0, _mm_unpacklo_epi16(low01, low23));
  _mm_storeu_si128(out + 1, _mm_unpackhi_epi16(low01, low23));
  _mm_storeu_si128(out + 2, _mm_unpacklo_epi16(high01, high23));
  _mm_storeu_si128(out + 3, _mm_unpackhi_epi16(high01, high23));
}

// One tile, of which `rows` inputs and `columns` outputs are there; the rest is zero.
void pack_tile(const int8_t* weight,  // (rows, outputs)
               std::byte* tile,       // (kTileBytes)
               int64_t rows, int64_t columns, int64_t outputs) {
  const auto there = static_cast<__mmask16>(columns >= kTileOutputs ? 0xffff : columns > 0 ? (1 << columns) - 1 : 0);
  for (int64_t row = 0; row < kStepInputs; row += 4) {
    __m128i quad[4] = {};
    for (int64_t i = 0; i < 4 && row + i < rows; ++i) {
      quad[i] = _mm_maskz_loadu_epi8(there, weight + (row + i) * outputs);
    }
    interleave(quad, tile + row / 4 * kQuadBytes);
  }
}

// starts[o] -= 128 * sum over the tile's inputs
void subtract_zero_point(const std::byte* tile, int32_t* starts) {
  const __m512i zero_point = _mm512_set1_epi8(static_cast<char>(128));
  __m512i sums = _mm512_setzero_si512();
  for (int64_t row = 0; row < kTileBytes; row += kQuadBytes) {
    sums = _mm512_dpbusd_epi32(sums, zero_point, _mm512_loadu_si512(tile + row));
  }
  _mm512_storeu_si512(starts, _mm512_sub_epi32(_mm512_loadu_si512(starts), sums));
}

}  // namespace

void pack_panels(const int8_t* weight, std::byte* packed, int64_t first, int64_t last, const PanelColumns& columns,
                 int64_t outputs, int64_t inputs) {
  const int64_t bytes = panel_bytes(inputs);
  constexpr int64_t kStartBytes = kPanelOutputs * sizeof(int32_t);
  for (int64_t p = first; p < last; ++p) __builtin_memset(packed + p * bytes, 0, kStartBytes);
  for (int64_t input = 0; input < inputs; input += kStepInputs) {
    for (int64_t p = first; p < last; ++p) {
      std::byte* panel = packed + p * bytes;
      std::byte* tiles = panel + kStartBytes + input * kPanelOutputs;
      for (int64_t half = 0; half < kPanelOutputs / kTileOutputs; ++half) {
        const int64_t output = p * columns.per_panel + half * columns.per_half;
        std::byte* tile = tiles + half * kTileBytes;
        pack_tile(weight + input * outputs + output, tile, inputs - input, columns.end[half] - output, outputs);
        subtract_zero_point(tile, reinterpret_cast<int32_t*>(panel) + half * kTileOutputs);
      }
    }
  }
}

}  // namespace saferoute::cpu::amx
