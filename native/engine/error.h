// The one error type of the engine. Every layer throws it; the addon turns it into a JavaScript error in one place.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace saferoute {

enum class ErrorCode {
  kCheckpoint,     // a model or router file is missing, truncated or contradicts itself
  kUnsupported,    // a well-formed request for something this build does not do
  kMemory,         // the estimate or an allocation exceeds what is there
  kContextLength,  // a prompt is longer than the guard's context
  kNotFinite,      // a weight, logit or hardness is NaN or infinite
  kOverloaded,     // the queue is full
  kDeadline,       // the request's deadline passed before its verdict was there
  kAborted,        // the caller gave the request up
  kClosed,         // the engine is closing or closed
  kInvalidArgument,
  kBackend,  // the inference library failed
};

// "ERR_CLOSED" and so on: the `code` that JavaScript callers see.
std::string_view code_name(ErrorCode code);

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

// The exception being handled, as an Error: std::bad_alloc becomes kMemory, anything else that is not an Error
// kBackend. Only inside a catch block.
Error current_error();

}  // namespace saferoute
