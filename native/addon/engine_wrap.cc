#include "addon/engine_wrap.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "addon/errors.h"
#include "addon/fields.h"
#include "addon/results.h"

namespace saferoute::addon {
namespace {

constexpr double kLargestTicket = 9007199254740991.0;  // the largest integer up to which a double holds every one

std::vector<int32_t> read_ids(Napi::Value value, const char* name) {
  if (value.IsNull()) return {};
  return copy_of<Napi::Int32Array>(value, napi_int32_array, name, "an Int32Array or null");
}

engine::Target read_target(Napi::Value value) {
  static constexpr Choices<engine::Target, 3> kTargets = {
      {{"cascade", engine::Target::kCascade}, {"small", engine::Target::kSmall}, {"large", engine::Target::kLarge}}};
  return read_choice(value, "target", kTargets);
}

void read_options(Napi::Value value, engine::Request& request) {
  const Fields options(value, "options");
  request.want_feature = options.boolean("wantFeature");
  request.priority = options.boolean("bulk") ? engine::Priority::kBulk : engine::Priority::kInteractive;
  if (!options.is_null("deadlineMs")) request.deadline_ms = options.number("deadlineMs");
}

}  // namespace

Napi::Function EngineWrap::define(Napi::Env env) {
  return DefineClass(env, "NativeEngine",
                     {
                         InstanceAccessor<&EngineWrap::small>("small"),
                         InstanceAccessor<&EngineWrap::large>("large"),
                         InstanceMethod<&EngineWrap::submit>("submit"),
                         InstanceMethod<&EngineWrap::route>("route"),
                         InstanceMethod<&EngineWrap::route_here>("routeHere"),
                         InstanceMethod<&EngineWrap::cancel>("cancel"),
                         InstanceMethod<&EngineWrap::stats>("stats"),
                         InstanceMethod<&EngineWrap::close>("close"),
                     });
}

Napi::Object EngineWrap::create(Napi::Function engine_class, std::shared_ptr<EngineLink> link,
                                Napi::Function on_events) {
  const Napi::Env env = engine_class.Env();
  const Napi::Object object = engine_class.New({Napi::External<std::shared_ptr<EngineLink>>::New(env, &link)});
  object.DefineProperty(Napi::PropertyDescriptor::Value(Napi::Symbol::New(env, "onEvents"), on_events, napi_default));
  return object;
}

EngineWrap::EngineWrap(const Napi::CallbackInfo& info) : Napi::ObjectWrap<EngineWrap>(info) {
  if (!info[0].IsExternal()) throw type_error(info.Env(), "NativeEngine", "made by loadEngine");
  link_ = *info[0].As<Napi::External<std::shared_ptr<EngineLink>>>().Data();
}

EngineWrap::~EngineWrap() {
  if (link_) link_->abandon();
}

Napi::Value EngineWrap::small(const Napi::CallbackInfo& info) {
  return to_js_info(info.Env(), link_->engine().small_info());
}

Napi::Value EngineWrap::large(const Napi::CallbackInfo& info) {
  const engine::GuardInfo* large = link_->engine().large_info();
  return large ? to_js_info(info.Env(), *large) : info.Env().Null();
}

Napi::Value EngineWrap::submit(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    engine::Request request;
    request.target = read_target(info[0]);
    request.small_ids = read_ids(info[1], "smallIds");
    request.large_ids = read_ids(info[2], "largeIds");
    read_options(info[3], request);
    return Napi::Number::New(info.Env(), static_cast<double>(link_->submit(std::move(request))));
  });
}

Napi::Value EngineWrap::route(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    std::vector<float> feature = copy_of<Napi::Float32Array>(info[0], napi_float32_array, "feature", "a Float32Array");
    return Napi::Number::New(info.Env(), static_cast<double>(link_->route(std::move(feature))));
  });
}

Napi::Value EngineWrap::route_here(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&]() -> Napi::Value {
    const auto feature = view_of<Napi::Float32Array>(info[0], napi_float32_array, "feature", "a Float32Array");
    const std::optional<double> hardness = link_->engine().route_here(feature);
    return hardness ? Napi::Number::New(info.Env(), *hardness) : info.Env().Null();
  });
}

Napi::Value EngineWrap::cancel(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] {
    const double ticket = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : -1;
    if (!(ticket >= 0 && ticket <= kLargestTicket))
      throw type_error(info.Env(), "ticket", "a number that submit or route returned");
    return Napi::Boolean::New(info.Env(), link_->cancel(static_cast<engine::Ticket>(ticket)));
  });
}

Napi::Value EngineWrap::stats(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return to_js_stats(info.Env(), link_->engine().stats()); });
}

Napi::Value EngineWrap::close(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), [&] { return link_->close(info.Env()); });
}

}  // namespace saferoute::addon
