// The `NativeEngine` of lib/native.ts: checks what it is called with and passes it on.
#pragma once

#include <memory>

#include <napi.h>

#include "addon/engine_link.h"

namespace saferoute::addon {

class EngineWrap : public Napi::ObjectWrap<EngineWrap> {
 public:
  static Napi::Function define(Napi::Env env);

  // The object keeps `on_events` alive as long as itself.
  static Napi::Object create(Napi::Function engine_class, std::shared_ptr<EngineLink> link, Napi::Function on_events);

  explicit EngineWrap(const Napi::CallbackInfo& info);
  ~EngineWrap() override;

 private:
  Napi::Value small(const Napi::CallbackInfo& info);
  Napi::Value large(const Napi::CallbackInfo& info);
  Napi::Value submit(const Napi::CallbackInfo& info);
  Napi::Value route(const Napi::CallbackInfo& info);
  Napi::Value route_here(const Napi::CallbackInfo& info);
  Napi::Value cancel(const Napi::CallbackInfo& info);
  Napi::Value stats(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);

  std::shared_ptr<EngineLink> link_;
};

}  // namespace saferoute::addon
