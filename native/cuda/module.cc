// The one symbol of this shared object, and the calls behind it: exceptions end here.
#include "cuda/module.h"

#include <memory>
#include <utility>

#include "cuda/backend.h"
#include "cuda/probe.h"

namespace saferoute::cuda {
namespace {

// Runs `body`; what it throws is told in `failure`.
template <typename Body>
bool told(Failure& failure, Body body) noexcept {
  try {
    body();
    return true;
  } catch (...) {
    const Error error = current_error();
    failure = {.code = error.code(), .message = error.what()};
    return false;
  }
}

bool probe_device(DeviceFacts& facts, Failure& failure) noexcept {
  return told(failure, [&] { facts = probe(); });
}

bool open_pair(const PairSource& source, Pair*& pair, Failure& failure) noexcept {
  return told(failure, [&] { pair = std::make_unique<Pair>(source).release(); });
}

void close_pair(Pair* pair) noexcept { delete pair; }

bool make_guard(Pair& pair, GuardRole role, std::stop_token stop, engine::Backend*& guard, Failure& failure) noexcept {
  return told(failure, [&] { guard = pair.make_guard(role, std::move(stop)).release(); });
}

bool forward(engine::Backend& guard, const engine::Batch& batch, std::stop_token stop, engine::BatchReading& reading,
             Failure& failure) noexcept {
  return told(failure, [&] { reading = guard.forward(batch, std::move(stop)); });
}

bool cascade(engine::Backend& guard, const engine::Batch& small, const engine::Batch& large,
             const engine::EscalationPlan& plan, std::stop_token stop, engine::CascadeReading& reading,
             Failure& failure) noexcept {
  return told(failure, [&] { reading = guard.cascade(small, large, plan, std::move(stop)); });
}

bool release_overflow(engine::Backend& guard, Failure& failure) noexcept {
  return told(failure, [&] { guard.release_overflow(); });
}

bool route(engine::Backend& guard, std::span<const float> feature, float& hardness, Failure& failure) noexcept {
  return told(failure, [&] { hardness = guard.route(feature); });
}

void destroy_guard(engine::Backend* guard) noexcept { delete guard; }

constexpr Module kModule = {.probe = probe_device,
                            .open_pair = open_pair,
                            .close_pair = close_pair,
                            .make_guard = make_guard,
                            .forward = forward,
                            .cascade = cascade,
                            .release_overflow = release_overflow,
                            .route = route,
                            .destroy_guard = destroy_guard};

}  // namespace
}  // namespace saferoute::cuda

extern "C" __attribute__((visibility("default"))) const saferoute::cuda::Module* saferoute_cuda_module(uint32_t abi) {
  return abi == saferoute::cuda::kModuleAbi ? &saferoute::cuda::kModule : nullptr;
}
