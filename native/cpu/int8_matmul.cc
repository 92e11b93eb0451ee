#include "cpu/int8_matmul.h"

#include <cstdlib>

#include "cpu/int8_pieces.h"

namespace saferoute::cpu {

int64_t packed_int8_bytes(int64_t outputs, int64_t inputs) {
  return amx::panels_of(outputs) * amx::panel_bytes(inputs);
}

#if SAFEROUTE_CPU_X86

void pack_int8(const int8_t* weight, std::byte* packed, int64_t outputs, int64_t inputs, ParallelFor parallel_for) {
  for_ranges(parallel_for, amx::panels_of(outputs), kPackPanels, [&](int64_t first, int64_t last) {
    amx::pack_panels(weight, packed, first, last, amx::neighbours(outputs), outputs, inputs);
  });
}

void int8_matmul(const uint8_t* x, const std::byte* packed, int32_t* sums, int64_t tokens, int64_t outputs,
                 int64_t inputs, ParallelFor parallel_for) {
  for_pieces(parallel_for, tokens, amx::panels_of(outputs), inputs,
             [&](int64_t token, int64_t piece_tokens, int64_t first, int64_t last) {
               amx::multiply_panels(x + token * inputs, packed, sums + token * outputs, piece_tokens, first, last,
                                    outputs, inputs);
             });
}

#else

void pack_int8(const int8_t*, std::byte*, int64_t, int64_t, ParallelFor) { std::abort(); }
void int8_matmul(const uint8_t*, const std::byte*, int32_t*, int64_t, int64_t, int64_t, ParallelFor) { std::abort(); }

#endif

}  // namespace saferoute::cpu
