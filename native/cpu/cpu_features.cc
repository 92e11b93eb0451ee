#include "cpu/cpu_features.h"

#include "cpu/tile_unit.h"

namespace saferoute::cpu {

std::vector<std::string> cpu_features() {
  std::vector<std::string> features;
#if defined(__x86_64__)
  struct Feature {
    const char* name;
    bool there;
  };
  const Feature all[] = {
      {"avx2", __builtin_cpu_supports("avx2") != 0},
      {"fma", __builtin_cpu_supports("fma") != 0},
      {"f16c", __builtin_cpu_supports("f16c") != 0},
      {"avx_vnni", __builtin_cpu_supports("avxvnni") != 0},
      {"avx512f", __builtin_cpu_supports("avx512f") != 0},
      {"avx512bw", __builtin_cpu_supports("avx512bw") != 0},
      {"avx512dq", __builtin_cpu_supports("avx512dq") != 0},
      {"avx512vl", __builtin_cpu_supports("avx512vl") != 0},
      {"avx512_vnni", __builtin_cpu_supports("avx512vnni") != 0},
      {"avx512_bf16", __builtin_cpu_supports("avx512bf16") != 0},
      {"amx_bf16", has_bf16_tiles()},  // these two also ask the system, which may withhold the unit
      {"amx_int8", has_int8_tiles()},
  };
  for (const Feature& feature : all) {
    if (feature.there) features.emplace_back(feature.name);
  }
#elif defined(__aarch64__)
  features.emplace_back("neon");  // part of every 64-bit ARM
#endif
  return features;
}

}  // namespace saferoute::cpu
