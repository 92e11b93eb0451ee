#include "engine/error.h"

#include <new>

namespace saferoute {

std::string_view code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kCheckpoint:
      return "ERR_CHECKPOINT";
    case ErrorCode::kUnsupported:
      return "ERR_UNSUPPORTED";
    case ErrorCode::kMemory:
      return "ERR_MEMORY";
    case ErrorCode::kContextLength:
      return "ERR_CONTEXT_LENGTH";
    case ErrorCode::kNotFinite:
      return "ERR_NOT_FINITE";
    case ErrorCode::kOverloaded:
      return "ERR_OVERLOADED";
    case ErrorCode::kDeadline:
      return "ERR_DEADLINE";
    case ErrorCode::kAborted:
      return "ERR_ABORTED";
    case ErrorCode::kClosed:
      return "ERR_CLOSED";
    case ErrorCode::kInvalidArgument:
      return "ERR_OUT_OF_RANGE";
    case ErrorCode::kBackend:
      return "ERR_BACKEND";
  }
  return "ERR_BACKEND";
}

Error current_error() {
  try {
    throw;
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ErrorCode::kMemory, "out of memory");
  } catch (const std::exception& error) {
    return Error(ErrorCode::kBackend, error.what());
  } catch (...) {
    return Error(ErrorCode::kBackend, "an exception of an unknown type");
  }
}

}  // namespace saferoute
