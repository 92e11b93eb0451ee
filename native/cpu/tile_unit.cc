#include "cpu/tile_unit.h"

#if SAFEROUTE_CPU_X86 && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace saferoute::cpu {
namespace {

struct TileUnit {
  bool int8 = false;
  bool bf16 = false;
};

#if SAFEROUTE_CPU_X86 && defined(__linux__)
TileUnit ask_for_tiles() {
  unsigned eax, ebx, ecx, edx;
  constexpr unsigned kBf16 = 1u << 22, kTiles = 1u << 24, kInt8 = 1u << 25;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || (edx & kTiles) == 0) return {};
  // The other flags of these kernels in CMakeLists.txt.
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512vl") || !__builtin_cpu_supports("avx512vnni")) {
    return {};
  }
  // Linux saves the 8 KiB of tiles only for processes that asked to use them. Kernels before 5.16 refuse.
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  if (syscall(SYS_arch_prctl, kRequestPermission, kTileData) != 0) return {};
  return {.int8 = (edx & kInt8) != 0, .bf16 = (edx & kBf16) != 0 && __builtin_cpu_supports("avx512bf16") != 0};
}
#else
TileUnit ask_for_tiles() { return {}; }
#endif

const TileUnit& tile_unit() {
  static const TileUnit unit = ask_for_tiles();
  return unit;
}

}  // namespace

bool has_int8_tiles() { return tile_unit().int8; }
bool has_bf16_tiles() { return tile_unit().bf16; }

}  // namespace saferoute::cpu
