#include "cuda/probe.h"

#include <string>

#include <cuda_runtime_api.h>

#include "cuda/check.h"
#include "cuda/cublas_lt.h"
#include "engine/error.h"

namespace saferoute::cuda {
namespace {

constexpr int32_t kOldestCompute = 8;  // the first with bf16 in its tensor cores

// 13000 is "13.0".
std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

[[noreturn]] void refuse(const std::string& why) { throw Error(ErrorCode::kUnsupported, why); }

std::string driver_version() {
  int version = 0;
  check(cudaDriverGetVersion(&version), "version of the driver");
  if (version == 0) refuse("no driver of an NVIDIA GPU is installed");
  return version_text(version);
}

void require_device(const DeviceFacts& facts) {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaErrorInsufficientDriver) {
    refuse("the driver serves CUDA up to " + facts.driver + ", this build needs " + facts.runtime);
  }
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) {
    refuse("there is no GPU, or CUDA_VISIBLE_DEVICES hides it");
  }
  check(status, "count of the devices");
}

}  // namespace

DeviceFacts probe() {
  DeviceFacts facts;
  int runtime = 0;
  check(cudaRuntimeGetVersion(&runtime), "version of the runtime");
  facts.runtime = version_text(runtime);
  facts.driver = driver_version();
  require_device(facts);

  int device = 0;
  check(cudaGetDevice(&device), "current device");
  cudaDeviceProp properties = {};
  check(cudaGetDeviceProperties(&properties, device), "properties of the device");
  facts.name = properties.name;
  facts.compute_major = properties.major;
  facts.compute_minor = properties.minor;
  facts.multiprocessors = properties.multiProcessorCount;
  facts.l2_bytes = static_cast<uint64_t>(properties.l2CacheSize);
  facts.fp8 = properties.major > 8 || (properties.major == 8 && properties.minor >= 9);
  if (facts.compute_major < kOldestCompute) {
    refuse(facts.name + " has compute capability " + std::to_string(facts.compute_major) + "." +
           std::to_string(facts.compute_minor) + ", " + std::to_string(kOldestCompute) + ".0 is needed");
  }
  facts.cublas_lt = CublasLt::load().version_text();
  size_t free_bytes = 0;
  size_t memory_bytes = 0;
  check(cudaMemGetInfo(&free_bytes, &memory_bytes), "free memory of the device");
  facts.free_bytes = free_bytes;
  facts.memory_bytes = memory_bytes;
  return facts;
}

}  // namespace saferoute::cuda
