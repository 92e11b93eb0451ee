#include "cpu/kernels.h"

#include <vector>

namespace saferoute::cpu {

namespace baseline {
extern const Kernels kTable;
}
#if SAFEROUTE_CPU_X86
namespace avx2 {
extern const Kernels kTable;
}
namespace avx512 {
extern const Kernels kTable;
}
#endif

std::span<const Kernels* const> supported_kernels() {
  static const std::vector<const Kernels*> supported = [] {
    std::vector<const Kernels*> found = {&baseline::kTable};
#if SAFEROUTE_CPU_X86
    // The flags of the variants in CMakeLists.txt. The compiler's runtime also asks whether the system saves the
    // registers.
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    if (avx2) found.push_back(&avx2::kTable);
    if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
      found.push_back(&avx512::kTable);
    }
#endif
    return found;
  }();
  return supported;
}

const Kernels& best_kernels() { return *supported_kernels().back(); }

}  // namespace saferoute::cpu
