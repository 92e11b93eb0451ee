// The CUDA part as the addon sees it: a shared object of its own, loaded where there is a driver, that exports one C
// symbol. Both sides are of one build, so C++ types cross; exceptions do not. Plain C++, no header of CUDA.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>

#include "cuda/guard_source.h"
#include "engine/backend.h"
#include "engine/device_cascade.h"
#include "engine/error.h"

namespace saferoute::cuda {

// Why a call failed.
struct Failure {
  ErrorCode code = ErrorCode::kBackend;
  std::string message;
};

inline constexpr const char* kModuleSymbol = "saferoute_cuda_module";

struct DeviceFacts {
  std::string name;  // "NVIDIA H200"
  int32_t compute_major = 0;
  int32_t compute_minor = 0;
  int32_t multiprocessors = 0;
  uint64_t memory_bytes = 0;
  uint64_t free_bytes = 0;  // when asked
  uint64_t l2_bytes = 0;
  std::string driver;     // newest CUDA that the driver serves, "13.0"
  std::string runtime;    // CUDA that this build is of
  std::string cublas_lt;  // "13.0.2"
  bool fp8 = false;       // products in FP8 are computed here
};

// A pair that has been planned; its guards are made one by one, each on its lane's thread.
class Pair;

enum class GuardRole { kSmall, kLarge };

// Every function says true, or false and why in `failure`. None throws.
struct Module {
  bool (*probe)(DeviceFacts& facts, Failure& failure) noexcept;

  // Plans, and reserves the device's memory. kMemory with the plan in the message where nothing fits.
  bool (*open_pair)(const PairSource& source, Pair*& pair, Failure& failure) noexcept;
  // After both guards are gone.
  void (*close_pair)(Pair* pair) noexcept;
  // On the lane's thread.
  bool (*make_guard)(Pair& pair, GuardRole role, std::stop_token stop, engine::Backend*& guard,
                     Failure& failure) noexcept;

  // The members of engine::Backend, on the lane's thread. info() alone is called as it is: it cannot throw.
  bool (*forward)(engine::Backend& guard, const engine::Batch& batch, std::stop_token stop,
                  engine::BatchReading& reading, Failure& failure) noexcept;
  bool (*cascade)(engine::Backend& guard, const engine::Batch& small, const engine::Batch& large,
                  const engine::EscalationPlan& plan, std::stop_token stop, engine::CascadeReading& reading,
                  Failure& failure) noexcept;
  bool (*release_overflow)(engine::Backend& guard, Failure& failure) noexcept;
  bool (*route)(engine::Backend& guard, std::span<const float> feature, float& hardness, Failure& failure) noexcept;
  void (*destroy_guard)(engine::Backend* guard) noexcept;
};

// Raised with every change of what is declared here. A type that crosses counts by its size, so that a part left over
// from another build is refused.
inline constexpr uint32_t kModuleRevision = 1;
inline constexpr uint32_t kModuleAbi = [] {
  uint32_t abi = kModuleRevision;
  for (const size_t size : {sizeof(PairSource), sizeof(engine::Batch), sizeof(engine::BatchReading),
                            sizeof(engine::EscalationPlan), sizeof(engine::CascadeReading), sizeof(engine::GuardInfo),
                            sizeof(Failure), sizeof(DeviceFacts), sizeof(Module)}) {
    abi = abi * 31 + static_cast<uint32_t>(size);
  }
  return abi;
}();

// What kModuleSymbol is: null where `abi` is not kModuleAbi.
using ModuleEntry = const Module*(uint32_t abi);

}  // namespace saferoute::cuda
