#include "addon/js_values.h"

#include <algorithm>

namespace saferoute::addon {

Napi::Value to_js_number(Napi::Env env, std::optional<double> number) {
  return number ? Napi::Number::New(env, *number) : env.Null();
}

Napi::Float32Array to_js_floats(Napi::Env env, std::span<const float> values) {
  Napi::Float32Array array = Napi::Float32Array::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

}  // namespace saferoute::addon
