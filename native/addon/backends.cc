#include "addon/backends.h"

#include <utility>

#include "addon/cuda_backend.h"

namespace saferoute::addon {
namespace {

BackendFactories make(CpuPair pair) {
  engine::BackendFactory large;
  if (pair.large) large = ort::make_ort_backend_factory(pair.runtime, std::move(*pair.large));
  return {.small = ort::make_ort_backend_factory(pair.runtime, std::move(pair.small)), .large = std::move(large)};
}

BackendFactories make(cuda::PairSource pair) { return make_cuda_backends(std::move(pair)); }

}  // namespace

BackendFactories make_backends(std::variant<CpuPair, cuda::PairSource> guards) {
  return std::visit([](auto& pair) { return make(std::move(pair)); }, guards);
}

}  // namespace saferoute::addon
