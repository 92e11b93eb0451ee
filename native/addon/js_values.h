// Plain C++ values as JavaScript ones, for results of every kind.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include <napi.h>

namespace saferoute::addon {

// Null where there is none.
Napi::Value to_js_number(Napi::Env env, std::optional<double> number);

// A copy, (values).
Napi::Float32Array to_js_floats(Napi::Env env, std::span<const float> values);

// `convert` makes a JavaScript value of each item; the handles that it takes are given back after each.
template <typename Items, typename Convert>
Napi::Array to_js_array(Napi::Env env, const Items& items, Convert convert) {
  const Napi::Array array = Napi::Array::New(env, items.size());
  uint32_t index = 0;
  for (const auto& item : items) {
    const Napi::HandleScope scope(env);
    array.Set(index++, convert(item));
  }
  return array;
}

}  // namespace saferoute::addon
