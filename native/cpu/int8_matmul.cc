#include "cpu/int8_matmul.h"

#include <cstdlib>

#include "cpu/kernels/int8_tiles.h"

namespace saferoute::cpu {

int64_t packed_int8_bytes(int64_t outputs, int64_t inputs) {
  return amx::panels_of(outputs) * amx::panel_bytes(inputs);
}

#if SAFEROUTE_CPU_X86

namespace {

// A piece of work. Small, so that many threads find one, but several panels where a panel is small, so that they can be
// fetched ahead.
constexpr int64_t kPackPanels = 8;
constexpr int64_t kPieceBytes = 256 << 10;

// Of activations in a piece: half of a second-level cache of 2 MiB, which also holds the panel at hand and the next.
constexpr int64_t kCachedBytes = 1 << 20;
constexpr int64_t kTokenGrain = 32;

int64_t divide_up(int64_t value, int64_t by) { return (value + by - 1) / by; }

}  // namespace

void pack_int8(const int8_t* weight, std::byte* packed, int64_t outputs, int64_t inputs, ParallelFor parallel_for) {
  for_ranges(parallel_for, amx::panels_of(outputs), kPackPanels,
             [&](int64_t first, int64_t last) { amx::pack_panels(weight, packed, first, last, outputs, inputs); });
}

void int8_matmul(const uint8_t* x, const std::byte* packed, int32_t* sums, int64_t tokens, int64_t outputs,
                 int64_t inputs, ParallelFor parallel_for) {
  if (tokens == 0) return;
  const int64_t most_rows = std::max(kTokenGrain, kCachedBytes / inputs / kTokenGrain * kTokenGrain);
  const int64_t slices = divide_up(tokens, most_rows);
  const int64_t rows = divide_up(divide_up(tokens, slices), kTokenGrain) * kTokenGrain;
  const int64_t panels = amx::panels_of(outputs);
  const int64_t piece_panels = divide_up(kPieceBytes, amx::panel_bytes(inputs));
  const int64_t pieces = divide_up(panels, piece_panels);
  parallel_for(static_cast<size_t>(slices * pieces), [&](size_t index) {
    const int64_t token = static_cast<int64_t>(index) / pieces * rows;
    const int64_t first = static_cast<int64_t>(index) % pieces * piece_panels;
    amx::multiply_panels(x + token * inputs, packed, sums + token * outputs, std::min(rows, tokens - token), first,
                         std::min(first + piece_panels, panels), outputs, inputs);
  });
}

#else

void pack_int8(const int8_t*, std::byte*, int64_t, int64_t, ParallelFor) { std::abort(); }
void int8_matmul(const uint8_t*, const std::byte*, int32_t*, int64_t, int64_t, int64_t, ParallelFor) { std::abort(); }

#endif

}  // namespace saferoute::cpu
