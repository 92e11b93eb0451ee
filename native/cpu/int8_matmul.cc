#include "cpu/int8_matmul.h"

#include <cstdlib>

#include "cpu/kernels/int8_tiles.h"

#if SAFEROUTE_CPU_X86 && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace saferoute::cpu {
namespace {

#if SAFEROUTE_CPU_X86 && defined(__linux__)
bool ask_for_int8_tiles() {
  unsigned eax, ebx, ecx, edx;
  constexpr unsigned kTiles = 1u << 24, kInt8 = 1u << 25;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || (edx & kTiles) == 0 || (edx & kInt8) == 0) return false;
  // The other flags of these kernels in CMakeLists.txt.
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512vnni")) {
    return false;
  }
  // Linux saves the 8 KiB of tiles only for processes that asked to use them. Kernels before 5.16 refuse.
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}
#else
bool ask_for_int8_tiles() { return false; }
#endif

// Panels per piece of work.
constexpr int64_t kPackPanels = 8;
constexpr int64_t kPieceBytes = 256 << 10;
constexpr int64_t kCachedBytes = 1 << 20;  // of activations, beside two panels in a second-level cache of 2 MiB

}  // namespace

bool has_int8_tiles() {
  static const bool has = ask_for_int8_tiles();
  return has;
}

int64_t packed_int8_bytes(int64_t outputs, int64_t inputs) {
  return amx::panels_of(outputs) * amx::panel_bytes(inputs);
}

#if SAFEROUTE_CPU_X86

void pack_int8(const int8_t* weight, std::byte* packed, int64_t outputs, int64_t inputs, ParallelFor parallel_for) {
  for_ranges(parallel_for, amx::panels_of(outputs), kPackPanels,
             [&](int64_t first, int64_t last) { amx::pack_panels(weight, packed, first, last, outputs, inputs); });
}

void int8_matmul(const uint8_t* x, const std::byte* packed, int32_t* sums, int64_t tokens, int64_t outputs,
                 int64_t inputs, ParallelFor parallel_for) {
  const int64_t rows = std::max<int64_t>(32, kCachedBytes / inputs / 32 * 32);
  const int64_t panels = std::max<int64_t>(1, kPieceBytes / amx::panel_bytes(inputs));
  for (int64_t t = 0; t < tokens; t += rows) {
    const int64_t there = std::min(rows, tokens - t);
    for_ranges(parallel_for, amx::panels_of(outputs), panels, [&](int64_t first, int64_t last) {
      amx::multiply_panels(x + t * inputs, packed, sums + t * outputs, there, first, last, outputs, inputs);
    });
  }
}

#else

void pack_int8(const int8_t*, std::byte*, int64_t, int64_t, ParallelFor) { std::abort(); }
void int8_matmul(const uint8_t*, const std::byte*, int32_t*, int64_t, int64_t, int64_t, ParallelFor) { std::abort(); }

#endif

}  // namespace saferoute::cpu
