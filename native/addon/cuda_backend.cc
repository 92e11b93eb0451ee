#include "addon/cuda_backend.h"

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <utility>

#include "addon/cuda_library.h"
#include "engine/device_cascade.h"
#include "engine/error.h"

namespace saferoute::addon {
namespace {

// `call(failure)`, as an exception where it fails.
template <typename Call>
void require(Call call) {
  cuda::Failure failure;
  if (!call(failure)) throw Error(failure.code, failure.message);
}

// Shared by the backends of both lanes, the last of which closes the pair.
class CudaPair {
 public:
  explicit CudaPair(cuda::PairSource source) : source_(std::move(source)) {}
  ~CudaPair() {
    if (pair_ != nullptr) module_->close_pair(pair_);
  }
  CudaPair(const CudaPair&) = delete;
  CudaPair& operator=(const CudaPair&) = delete;

  engine::Backend* make_guard(cuda::GuardRole role, std::stop_token stop) {
    open();
    engine::Backend* guard = nullptr;
    require([&](cuda::Failure& failure) { return module_->make_guard(*pair_, role, std::move(stop), guard, failure); });
    return guard;
  }

  // After make_guard.
  const cuda::Module& module() const { return *module_; }

 private:
  // Once: where it failed for one lane, the other is told the same.
  void open() {
    const std::scoped_lock lock(mutex_);
    if (failure_) throw Error(*failure_);
    if (pair_ != nullptr) return;
    try {
      const CudaLibrary library = CudaLibrary::load();
      library.probe();
      module_ = &library.module();
      require([&](cuda::Failure& failure) { return module_->open_pair(source_, pair_, failure); });
    } catch (...) {
      failure_ = current_error();
      throw;
    }
  }

  const cuda::PairSource source_;
  std::mutex mutex_;
  std::optional<Error> failure_;
  const cuda::Module* module_ = nullptr;
  cuda::Pair* pair_ = nullptr;
};

class CudaBackend final : public engine::Backend {
 public:
  CudaBackend(std::shared_ptr<CudaPair> pair, cuda::GuardRole role, std::stop_token stop)
      : pair_(std::move(pair)), guard_(pair_->make_guard(role, std::move(stop))) {}
  ~CudaBackend() override { module().destroy_guard(guard_); }

  const engine::GuardInfo& info() const override { return guard_->info(); }

  engine::BatchReading forward(const engine::Batch& batch, std::stop_token stop) override {
    engine::BatchReading reading;
    require(
        [&](cuda::Failure& failure) { return module().forward(*guard_, batch, std::move(stop), reading, failure); });
    return reading;
  }

  engine::CascadeReading cascade(const engine::Batch& small, const engine::Batch& large,
                                 const engine::EscalationPlan& plan, std::stop_token stop) override {
    engine::CascadeReading reading;
    require([&](cuda::Failure& failure) {
      return module().cascade(*guard_, small, large, plan, std::move(stop), reading, failure);
    });
    return reading;
  }

  void release_overflow() override {
    require([&](cuda::Failure& failure) { return module().release_overflow(*guard_, failure); });
  }

  float route(std::span<const float> feature) override {
    float hardness = 0;
    require([&](cuda::Failure& failure) { return module().route(*guard_, feature, hardness, failure); });
    return hardness;
  }

 private:
  const cuda::Module& module() const { return pair_->module(); }

  const std::shared_ptr<CudaPair> pair_;
  engine::Backend* const guard_;
};

engine::BackendFactory factory_of(std::shared_ptr<CudaPair> pair, cuda::GuardRole role) {
  return [pair = std::move(pair), role](std::stop_token stop) {
    return std::make_unique<CudaBackend>(pair, role, std::move(stop));
  };
}

}  // namespace

BackendFactories make_cuda_backends(cuda::PairSource source) {
  const bool has_large = source.large.has_value();
  const auto pair = std::make_shared<CudaPair>(std::move(source));
  return {.small = factory_of(pair, cuda::GuardRole::kSmall),
          .large = has_large ? factory_of(pair, cuda::GuardRole::kLarge) : engine::BackendFactory()};
}

}  // namespace saferoute::addon
