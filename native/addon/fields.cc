#include "addon/fields.h"

#include <cmath>
#include <limits>
#include <utility>

namespace saferoute::addon {
namespace {

constexpr double kLargestExactInteger = 9007199254740991.0;

double to_integer(Napi::Value value, const std::string& path, double least, double most, const char* expected) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  if (!(number >= least && number <= most && std::trunc(number) == number)) {
    throw type_error(value.Env(), path, expected);
  }
  return number;
}

int64_t to_size(Napi::Value value, const std::string& path) {
  return static_cast<int64_t>(to_integer(value, path, 0, kLargestExactInteger, "an integer from 0 to 2^53 - 1"));
}

bool to_boolean(Napi::Value value, const std::string& path) {
  if (!value.IsBoolean()) throw type_error(value.Env(), path, "a boolean");
  return value.As<Napi::Boolean>();
}

Napi::Object to_object(Napi::Value value, const std::string& path) {
  if (!value.IsObject()) throw type_error(value.Env(), path, "an object");
  return value.As<Napi::Object>();
}

}  // namespace

int32_t read_int32(Napi::Value value, const std::string& path) {
  using Limits = std::numeric_limits<int32_t>;
  return static_cast<int32_t>(to_integer(value, path, Limits::min(), Limits::max(), "a 32-bit integer"));
}

uint64_t read_uint64(Napi::Value value, const std::string& path) { return static_cast<uint64_t>(to_size(value, path)); }

std::string read_string(Napi::Value value, const std::string& path) {
  if (!value.IsString()) throw type_error(value.Env(), path, "a string");
  return value.As<Napi::String>();
}

Fields::Fields(Napi::Value value, std::string path) : object_(to_object(value, path)), path_(std::move(path)) {}

int32_t Fields::int32(const char* name) const { return read_int32(get(name), path_of(name)); }

uint64_t Fields::uint64(const char* name) const { return read_uint64(get(name), path_of(name)); }

double Fields::number(const char* name) const {
  const Napi::Value value = get(name);
  if (!value.IsNumber()) refuse(name, "a number");
  return value.As<Napi::Number>();
}

bool Fields::boolean(const char* name) const { return to_boolean(get(name), path_of(name)); }

std::string Fields::string(const char* name) const { return read_string(get(name), path_of(name)); }

std::string Fields::bytes(const char* name) const {
  const std::vector<uint8_t> copy =
      copy_of<Napi::Uint8Array>(get(name), napi_uint8_array, path_of(name), "a Uint8Array");
  return std::string(copy.begin(), copy.end());
}

std::vector<float> Fields::float32_array(const char* name) const {
  return copy_of<Napi::Float32Array>(get(name), napi_float32_array, path_of(name), "a Float32Array");
}

std::vector<int32_t> Fields::int32_array(const char* name) const {
  return copy_of<Napi::Int32Array>(get(name), napi_int32_array, path_of(name), "an Int32Array");
}

bool Fields::is_null(const char* name) const { return get(name).IsNull(); }

Fields Fields::object(const char* name) const { return Fields(get(name), path_of(name)); }

std::vector<int32_t> Fields::int32s(const char* name) const { return elements(name, read_int32); }

std::vector<int64_t> Fields::int64s(const char* name) const { return elements(name, to_size); }

std::vector<uint8_t> Fields::booleans(const char* name) const {
  return elements(name, [](Napi::Value value, const std::string& path) -> uint8_t { return to_boolean(value, path); });
}

std::vector<std::string> Fields::strings(const char* name) const { return elements(name, read_string); }

void Fields::refuse(const char* name, const std::string& expected) const {
  throw type_error(object_.Env(), path_of(name), expected);
}

}  // namespace saferoute::addon
