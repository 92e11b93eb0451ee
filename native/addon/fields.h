// Reads the members of a plain object that lib/ built, and says which one is wrong where one is.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <napi.h>

#include "addon/errors.h"

namespace saferoute::addon {

// A value that stands alone, by what errors call it. Throw a TypeError.
int32_t read_int32(Napi::Value value, const std::string& path);
uint64_t read_uint64(Napi::Value value, const std::string& path);  // an integer that a double holds exactly
std::string read_string(Napi::Value value, const std::string& path);

// The elements of a typed array, where they are: for as long as no JavaScript runs on this thread.
template <typename TypedArray>
auto view_of(Napi::Value value, napi_typedarray_type type, const std::string& path, const char* expected) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) {
    throw type_error(value.Env(), path, expected);
  }
  const TypedArray array = value.As<TypedArray>();
  return std::span<const std::remove_pointer_t<decltype(array.Data())>>(array.Data(), array.ElementLength());
}

// A copy of them.
template <typename TypedArray>
auto copy_of(Napi::Value value, napi_typedarray_type type, const std::string& path, const char* expected) {
  const auto view = view_of<TypedArray>(value, type, path, expected);
  return std::vector(view.begin(), view.end());
}

// Words and what they stand for.
template <typename Choice, size_t kCount>
using Choices = std::array<std::pair<std::string_view, Choice>, kCount>;

template <typename Choice, size_t kCount>
Choice read_choice(Napi::Value value, const std::string& path, const Choices<Choice, kCount>& choices) {
  const std::string given = read_string(value, path);
  std::string expected = "one of";
  for (const auto& [word, choice] : choices) {
    if (given == word) return choice;
    expected += " '" + std::string(word) + "'";
  }
  throw type_error(value.Env(), path, expected);
}

// Every reader throws a TypeError naming the member by its path ("config.small.spec.layers"). Lives on the stack of one
// call.
class Fields {
 public:
  Fields(Napi::Value value, std::string path);

  int32_t int32(const char* name) const;
  uint64_t uint64(const char* name) const;  // an integer that a double holds exactly
  double number(const char* name) const;
  bool boolean(const char* name) const;
  std::string string(const char* name) const;
  std::string bytes(const char* name) const;  // of a Uint8Array
  std::vector<float> float32_array(const char* name) const;
  std::vector<int32_t> int32_array(const char* name) const;
  bool is_null(const char* name) const;
  Fields object(const char* name) const;

  template <typename Choice, size_t kCount>
  Choice choice(const char* name, const Choices<Choice, kCount>& choices) const {
    return read_choice(get(name), path_of(name), choices);
  }

  // Each element of an array of objects, through `convert(const Fields&)`.
  template <typename Convert>
  auto objects(const char* name, Convert convert) const {
    return elements(name, [&](Napi::Value value, std::string path) { return convert(Fields(value, std::move(path))); });
  }
  std::vector<int32_t> int32s(const char* name) const;
  std::vector<int64_t> int64s(const char* name) const;
  std::vector<uint8_t> booleans(const char* name) const;
  std::vector<std::string> strings(const char* name) const;

  [[noreturn]] void refuse(const char* name, const std::string& expected) const;

 private:
  Napi::Value get(const char* name) const { return object_.Get(name); }
  std::string path_of(const char* name) const { return path_ + "." + name; }

  template <typename Convert>
  auto elements(const char* name, Convert convert) const {
    const Napi::Value value = get(name);
    if (!value.IsArray()) refuse(name, "an array");
    const Napi::Array array = value.As<Napi::Array>();
    std::vector<decltype(convert(value, std::string()))> result;
    result.reserve(array.Length());
    for (uint32_t index = 0; index < array.Length(); ++index) {
      const Napi::HandleScope scope(object_.Env());
      result.push_back(convert(array.Get(index), path_of(name) + "[" + std::to_string(index) + "]"));
    }
    return result;
  }

  Napi::Object object_;
  std::string path_;
};

}  // namespace saferoute::addon
