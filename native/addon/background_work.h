// One long piece of work on a thread of its own, and the promise of what comes of it. Not libuv's pool: its few threads
// also serve files, names and hashes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <thread>

#include <napi.h>

#include "addon/deliveries.h"
#include "addon/live_work.h"

namespace saferoute::addon {

// Keeps the process alive until it is done, and itself. Used on the environment's thread, but for `notify`.
class BackgroundWork : public LiveWork, public std::enable_shared_from_this<BackgroundWork> {
 public:
  // The result as a JavaScript value, made on the environment's thread.
  using ToValue = std::function<Napi::Value(Napi::Env)>;

  // Runs on the work's thread; what it throws rejects the promise. Heeds the token soon: it is stopped where the
  // environment ends, which waits for it.
  using Body = std::function<ToValue(BackgroundWork& work, std::stop_token stop)>;

  // `on_notice` runs on the environment's thread after `notify`, once for all calls since it last ran, and before the
  // promise settles.
  static std::shared_ptr<BackgroundWork> start(Napi::Env env, std::shared_ptr<LiveWorks> live, Body body,
                                               std::function<void(Napi::Env)> on_notice = {});

  ~BackgroundWork() override;

  Napi::Promise promise() const { return settling_.Promise(); }

  // On any thread, before the body returns.
  void notify();

  void end_now() override;

 private:
  struct News {
    bool noticed = false;
    bool ended = false;
    ToValue result;
    std::optional<Error> failure;
  };

  BackgroundWork(Napi::Env env, std::shared_ptr<LiveWorks> live, std::function<void(Napi::Env)> on_notice);

  void run(const Body& body, std::stop_token stop);
  void receive(Napi::Env env, News news);
  void settle(Napi::Env env, const News& news);
  static void on_environment_end(void* work);

  const std::shared_ptr<LiveWorks> live_;
  Deliveries<News> deliveries_;
  std::function<void(Napi::Env)> on_notice_;
  Napi::Promise::Deferred settling_;
  std::jthread thread_;
};

}  // namespace saferoute::addon
