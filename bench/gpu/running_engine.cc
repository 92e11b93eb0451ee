#include "gpu/running_engine.h"

#include <chrono>
#include <future>
#include <utility>

#include "engine/error.h"

namespace saferoute::bench {

RunningEngine::RunningEngine(cuda::Pair& pair, int32_t batch_tokens) {
  engine::EngineOptions options;
  options.escalation = {.kind = engine::EscalationRule::Kind::kRandom, .threshold = 0.2, .seed = 7};
  options.queue_requests = 4096;
  options.batch_tokens = batch_tokens;
  options.batch_ms = 1000;
  std::promise<void> ready;
  const auto on_ready = [&](const Error* failure) {
    failure ? ready.set_exception(std::make_exception_ptr(*failure)) : ready.set_value();
  };
  const auto maker = [&pair](cuda::GuardRole role) {
    return [&pair, role](std::stop_token stop) { return pair.make_guard(role, std::move(stop)); };
  };
  engine_ = std::make_unique<engine::Engine>(
      maker(cuda::GuardRole::kSmall), maker(cuda::GuardRole::kLarge), options,
      [this](engine::Event&& event) { take(event); }, on_ready);
  ready.get_future().get();
}

double RunningEngine::run(const std::vector<std::vector<int32_t>>& prompts, engine::Target target) {
  {
    const std::lock_guard lock(mutex_);
    left_ = prompts.size();
  }
  const auto start = std::chrono::steady_clock::now();
  for (const std::vector<int32_t>& prompt : prompts) {
    engine::Request request;
    request.target = target;
    (target == engine::Target::kLarge ? request.large_ids : request.small_ids) = prompt;
    engine_->submit(std::move(request));
  }
  std::unique_lock lock(mutex_);
  done_.wait(lock, [&] { return left_ == 0; });
  if (!failure_.empty()) throw Error(ErrorCode::kBackend, failure_);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

void RunningEngine::take(const engine::Event& event) {
  const bool is_last = event.kind == engine::Event::Kind::kDone || event.kind == engine::Event::Kind::kError;
  if (!is_last) return;
  const std::lock_guard lock(mutex_);
  if (event.kind == engine::Event::Kind::kError) failure_ = event.error_message;
  left_ -= 1;
  done_.notify_one();
}

}  // namespace saferoute::bench
