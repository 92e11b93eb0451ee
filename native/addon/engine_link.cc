#include "addon/engine_link.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "addon/backends.h"
#include "addon/engine_wrap.h"
#include "addon/errors.h"
#include "addon/results.h"

namespace saferoute::addon {

Napi::Promise EngineLink::load(Napi::Env env, EngineConfig config, std::shared_ptr<LiveWorks> live,
                               Napi::Function engine_class, Napi::Function on_events) {
  const std::shared_ptr<EngineLink> link(new EngineLink(env, std::move(live), engine_class, on_events));
  const Napi::Promise promise = link->loading_.Promise();
  link->completions_.open(env, link,
                          [link = link.get()](Napi::Env env, EngineNews news) { link->receive(env, std::move(news)); });
  // Node runs these hooks last in, first out: this one, added after the thread-safe function, stops the engine's
  // threads before that function goes.
  napi_add_env_cleanup_hook(env, on_environment_end, link.get());
  link->live_->insert(link.get());
  link->completions_.hold();
  try {
    link->start(std::move(config));
  } catch (...) {
    link->load_failure_ = current_error();
    link->close_begun_ = true;
    link->completions_.add_closed();
  }
  return promise;
}

EngineLink::EngineLink(Napi::Env env, std::shared_ptr<LiveWorks> live, Napi::Function engine_class,
                       Napi::Function on_events)
    : env_(env),
      live_(std::move(live)),
      engine_class_(Napi::Persistent(engine_class)),
      on_events_(Napi::Persistent(on_events)),
      loading_(Napi::Promise::Deferred::New(env)) {}

EngineLink::~EngineLink() = default;

void EngineLink::start(EngineConfig config) {
  BackendFactories guards = make_backends(std::move(config.guards));
  engine_ = std::make_unique<engine::Engine>(
      std::move(guards.small), std::move(guards.large), config.options,
      [this](engine::Event&& event) { completions_.add_event(std::move(event)); },
      [this](const Error* failure) { completions_.add_load_end(failure); });
}

engine::Ticket EngineLink::submit(engine::Request request) {
  const engine::Ticket ticket = engine_->submit(std::move(request));
  hold();
  return ticket;
}

engine::Ticket EngineLink::route(std::vector<float> feature) {
  const engine::Ticket ticket = engine_->route(std::move(feature));
  hold();
  return ticket;
}

bool EngineLink::cancel(engine::Ticket ticket) {
  const bool cancelled = engine_->cancel(ticket);
  if (cancelled) release(1);
  return cancelled;
}

void EngineLink::hold() {
  if (!completions_.is_held()) native_engine_.Ref();
  completions_.hold();
}

void EngineLink::release(size_t holders) {
  completions_.release(holders);
  if (!completions_.is_held() && !native_engine_.IsEmpty()) native_engine_.Unref();
}

void EngineLink::receive(Napi::Env env, EngineNews news) {
  if (news.load_ended) end_load(std::move(news.load_failure));
  if (!news.events.empty()) hand_out(env, news.events);
  if (news.closed) end_close(env);
}

void EngineLink::end_load(std::optional<Error> failure) {
  if (failure) {
    // The promise is rejected once the engine's threads have ended, so that a caller who tries again finds the memory
    // free.
    if (!load_failure_) load_failure_ = std::move(failure);
    begin_close();
    return;
  }
  const Napi::Object native_engine = EngineWrap::create(engine_class_.Value(), shared_from_this(), on_events_.Value());
  native_engine_ = Napi::Weak(native_engine);
  on_events_.Unref();
  engine_class_.Reset();
  completions_.release();
  loading_.Resolve(native_engine);
}

void EngineLink::hand_out(Napi::Env env, const std::vector<engine::Event>& events) {
  const auto settled = std::count_if(events.begin(), events.end(), [](const engine::Event& event) {
    return event.kind != engine::Event::Kind::kStage && event.kind != engine::Event::Kind::kAlarm;
  });
  const Napi::Function on_events = on_events_.Value();
  release(static_cast<size_t>(settled));
  if (on_events.IsEmpty()) return;  // collected together with the engine's object: nobody waits for these events
  try {
    on_events.Call({to_js_events(env, events)});
  } catch (const Napi::Error& error) {
    report_uncaught(error);
  }
}

Napi::Promise EngineLink::close(Napi::Env env) {
  const Napi::Promise::Deferred closing = Napi::Promise::Deferred::New(env);
  if (ended_) {
    closing.Resolve(env.Undefined());
    return closing.Promise();
  }
  if (closing_.empty()) hold();
  closing_.push_back(closing);
  begin_close();
  return closing.Promise();
}

void EngineLink::abandon() {
  if (!ended_) begin_close();
}

void EngineLink::begin_close() {
  if (std::exchange(close_begun_, true)) return;
  const auto close = [this] {
    engine_->close();
    completions_.add_closed();
  };
  try {
    closer_ = std::thread(close);
  } catch (const std::system_error&) {
    close();  // no thread is to be had: better a short wait here than an engine that never ends
  }
}

void EngineLink::end_close(Napi::Env env) {
  note_end();
  napi_remove_env_cleanup_hook(env, on_environment_end, this);
  if (load_failure_ || !closing_.empty()) release(1);
  completions_.finish();
  if (load_failure_) loading_.Reject(to_js_error(env, *load_failure_).Value());
  for (const Napi::Promise::Deferred& closing : std::exchange(closing_, {})) closing.Resolve(env.Undefined());
}

void EngineLink::end_now() {
  close_begun_ = true;
  if (engine_) engine_->close();
  note_end();
}

void EngineLink::note_end() {
  if (closer_.joinable()) closer_.join();
  ended_ = true;
  live_->erase(this);
}

void EngineLink::on_environment_end(void* link) { static_cast<EngineLink*>(link)->end_now(); }

}  // namespace saferoute::addon
