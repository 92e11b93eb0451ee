// Ties one engine to one JavaScript environment: load, events, and the one way to the end that close(), the garbage
// collector and the end of the environment share.
#pragma once

#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <napi.h>

#include "addon/completions.h"
#include "addon/engine_config.h"
#include "addon/live_work.h"
#include "engine/engine.h"

namespace saferoute::addon {

// Shared by its `NativeEngine` object and by its thread-safe function. Used only on the environment's thread; the
// engine's threads meet nothing of it but `completions_`.
class EngineLink : public LiveWork, public std::enable_shared_from_this<EngineLink> {
 public:
  // Starts the engine, which is in `live` from now until its threads have ended. The promise resolves to a
  // `NativeEngine` made by `engine_class`.
  static Napi::Promise load(Napi::Env env, EngineConfig config, std::shared_ptr<LiveWorks> live,
                            Napi::Function engine_class, Napi::Function on_events);

  ~EngineLink() override;

  engine::Ticket submit(engine::Request request);
  engine::Ticket route(std::vector<float> feature);
  bool cancel(engine::Ticket ticket);
  engine::Engine& engine() { return *engine_; }

  // Resolves when the engine's threads have ended.
  Napi::Promise close(Napi::Env env);

  // The `NativeEngine` is gone: closes the engine without keeping the process alive.
  void abandon();

  void end_now() override;

 private:
  EngineLink(Napi::Env env, std::shared_ptr<LiveWorks> live, Napi::Function engine_class, Napi::Function on_events);

  void start(EngineConfig config);
  void receive(Napi::Env env, EngineNews news);
  void end_load(std::optional<Error> failure);
  void hand_out(Napi::Env env, const std::vector<engine::Event>& events);
  void end_close(Napi::Env env);

  void begin_close();
  void note_end();
  static void on_environment_end(void* link);

  void hold();
  void release(size_t holders);

  const Napi::Env env_;
  const std::shared_ptr<LiveWorks> live_;
  Completions completions_;
  std::unique_ptr<engine::Engine> engine_;

  // The `NativeEngine` holds `on_events` in turn, so that the two can be collected together once nothing is in flight:
  // until the load ends the reference is strong, then weak. The one to the `NativeEngine` is strong while something is
  // in flight.
  Napi::FunctionReference engine_class_;
  Napi::FunctionReference on_events_;
  Napi::ObjectReference native_engine_;

  Napi::Promise::Deferred loading_;
  std::optional<Error> load_failure_;
  std::vector<Napi::Promise::Deferred> closing_;
  bool close_begun_ = false;
  bool ended_ = false;  // the engine's threads have ended
  std::thread closer_;  // joins them, which may take as long as a node of a running graph
};

}  // namespace saferoute::addon
